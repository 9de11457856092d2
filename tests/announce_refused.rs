//! `unitgen env announce` with what nobody can mean: it is refused before etcd is asked.

use crate::test::Test;

#[test]
fn what_is_surely_wrong_is_refused_at_once() {
    let case = |arguments: &str, stderr: &str| {
        Test::new()
            .args(&format!("env announce {arguments}"))
            .stderr(stderr)
            .status(2)
            .run();
    };
    let help = "help: where a unit says `${NAME}:PORT`, the variable is read from the unit's \
                `EnvironmentFile=`, which is /etc/environment: is it there, and does it set that name?\n";
    case(
        "--key /announce/a --value :5000",
        &format!("error: `:5000` can't be announced: it names no host\n\n{help}"),
    );
    case(
        "--key /announce/a --value=",
        &format!("error: `` can't be announced: it is empty\n\n{help}"),
    );
    case(
        "--key /environment/a/B --value a:1",
        "error: `/environment/a/B` can't be announced: `/environment` holds what is configured\n\n\
         help: announce under another folder, such as `/announce`\n",
    );
    case(
        "--key /announce/a --value a:1 --ttl 4",
        "error: --ttl is `4`, and a time from 5 to 86400 s is meant\n",
    );
    case(
        "--key /announce/a --value a:1 --cacert none.pem",
        "error: can't read `none.pem`\n  caused by: No such file or directory (os error 2)\n",
    );
}
