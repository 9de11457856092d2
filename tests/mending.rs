//! `unitgen lint --fix`: what is mended, what is shown, and what becomes of the file.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::test::{Folder, Test};

const MENDABLE: &str = "\
# the old command \\
[Service]
ExecStart=/bin/echo \\d 5% \\
  # a comment
  end
Restart=allways

[X-Fleet]
X-Conflicts=a@*.service
";

const MENDED: &str = "\
# the old command
[Service]
# a comment
ExecStart=/bin/echo \\\\d 5%% \\
  end
Restart=allways

[X-Fleet]
Conflicts=a@*.service
";

#[test]
fn what_is_safe_is_mended() {
    let folder = Test::new()
        .file("app@.service", MENDABLE)
        .args("lint --fix app@.service")
        .stdout(
            "\
warning[U212]: systemd does not take `Restart=allways`
 --> app@.service:6:9
  |
6 | Restart=allways
  |         ^^^^^^^ it is dropped, and what was set before or by default stays

1 warning
`unitgen explain CODE` says more of each
5 findings mended
",
        )
        .status(1)
        .run();
    assert_eq!(folder.read("app@.service"), MENDED);
    let folder = Test::within(folder)
        .args("lint --fix --allow U212 app@.service")
        .stdout("nothing found in 1 file\n")
        .run();
    assert_eq!(folder.names(""), ["app@.service"]);
}

#[test]
fn what_would_be_mended_is_shown() {
    let folder = Test::new()
        .file("app@.service", MENDABLE)
        .args("lint --fix --dry-run app@.service")
        .stdout(
            "\
--- app@.service
+++ app@.service
@@ -1,9 +1,9 @@
-# the old command \\
+# the old command
 [Service]
-ExecStart=/bin/echo \\d 5% \\
-  # a comment
+# a comment
+ExecStart=/bin/echo \\\\d 5%% \\
   end
 Restart=allways
 
 [X-Fleet]
-X-Conflicts=a@*.service
+Conflicts=a@*.service
",
        )
        .stderr("5 findings before mending; `unitgen lint` shows them\n")
        .status(1)
        .run();
    assert_eq!(folder.read("app@.service"), MENDABLE);
}

#[test]
fn permissions_and_links_outlive_mending() {
    let folder = Folder::new();
    folder.write("real/app.service", "[Service]\nExecStart=/bin/echo 5%\n");
    let real = folder.path("real/app.service");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real/app.service", folder.path("app.service")).unwrap();
    let folder = Test::within(folder)
        .args("lint --fix app.service")
        .stdout("nothing found in 1 file\n1 finding mended\n")
        .run();
    assert_eq!(
        folder.read("real/app.service"),
        "[Service]\nExecStart=/bin/echo 5%%\n"
    );
    assert!(folder.path("app.service").is_symlink());
    let mode = fs::metadata(folder.path("real/app.service"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
}
