//! Connections by way of the system's `ssh`, so that its configuration, keys and agent count.
//!
//! In: a `Tunnel` and an `Address` as seen from its far end. Out: a stream. Nothing is needed there
//! but sshd. A port is reached by `ssh -W`, one process for each connection. A unix socket is forwarded
//! to one in a private folder: `-W` takes sockets only from OpenSSH 9.4 on.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door to ssh, which is a process"
)]

use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

use crate::http::address::{Address, Tunnel};
use crate::http::failure::Reason;

/// How often it is looked whether ssh has made its socket.
const LOOK: Duration = Duration::from_millis(10);

/// How long ssh may take to say why it ends.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long a person may take to find a password.
const TYPING: Duration = Duration::from_secs(60);

/// Runs ssh so that it ends with this process, however that ends: forwarding a socket it would
/// otherwise go on for ever.
const LEASH: &str = "exec 3<&0 0</dev/null; (read -r _ <&3; kill $$) & exec 3<&- \"$@\"";

/// A running ssh, which ends when this is dropped.
pub(crate) struct Ssh {
    process: Child,
    messages: File,
    /// Holds the near end of a forwarded socket.
    folder: Option<TempDir>,
}

impl Drop for Ssh {
    fn drop(&mut self) {
        // What has ended already needs no end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Tunnel {
    /// Returns how long the first answer may take beyond what a request may take.
    pub(crate) fn patience(&self) -> Duration {
        let typing = if self.interactive {
            TYPING
        } else {
            Duration::ZERO
        };
        self.time_limit + typing
    }

    /// Returns the arguments that every connection has.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["-a".to_owned(), "-x".to_owned(), "-T".to_owned()];
        let mut option = |text: String| arguments.extend(["-o".to_owned(), text]);
        // A connection that others share would outlive this one with all that it forwards.
        option("ControlMaster=no".to_owned());
        option("ControlPath=none".to_owned());
        option("PermitLocalCommand=no".to_owned());
        option("RemoteCommand=none".to_owned());
        option(format!(
            "ConnectTimeout={}",
            self.time_limit.as_secs().max(1)
        ));
        if !self.interactive {
            option("BatchMode=yes".to_owned());
        }
        if let Some(strict) = self.strict_host_keys {
            let strict = if strict { "yes" } else { "no" };
            // Without a terminal `ask` can only mean no, which is ssh's own way.
            if strict == "no" || !self.interactive {
                option(format!("StrictHostKeyChecking={strict}"));
            }
        }
        if let Some(path) = &self.known_hosts {
            option(format!("UserKnownHostsFile={path}"));
        }
        if let Some(user) = &self.user {
            arguments.extend(["-l".to_owned(), user.clone()]);
        }
        if let Some(port) = self.port {
            arguments.extend(["-p".to_owned(), port.to_string()]);
        }
        arguments
    }
}

impl Ssh {
    /// Starts a connection to a port as the far end sees it.
    pub(crate) fn connect(
        tunnel: &Tunnel,
        address: &Address,
    ) -> Result<(Self, UnixStream), Reason> {
        let (near, far) = BlockingStream::pair().map_err(Reason::Other)?;
        let input = far.try_clone().map_err(Reason::Other)?;
        let mut command = Command::new(&tunnel.program);
        command
            .args(tunnel.arguments())
            .args(["-W", &address.authority(), "--", &tunnel.host])
            .stdin(OwnedFd::from(input))
            .stdout(OwnedFd::from(far));
        let ssh = Self::start(command, None)?;
        near.set_nonblocking(true).map_err(Reason::Other)?;
        let stream = UnixStream::from_std(near).map_err(Reason::Other)?;
        Ok((ssh, stream))
    }

    /// Starts to forward a unix socket of the far end.
    pub(super) fn forward(tunnel: &Tunnel, socket: &Path) -> Result<Self, Reason> {
        let folder = TempDir::with_prefix("unitgen-").map_err(Reason::Other)?;
        let near = folder.path().join("s");
        let forwarding = format!("{}:{}", near.display(), socket.display());
        let mut command = Command::new("sh");
        command
            .args(["-c", LEASH, "sh"])
            .arg(&tunnel.program)
            .args(["-N", "-L", &forwarding])
            .args(tunnel.arguments())
            .args(["--", &tunnel.host])
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        Self::start(command, Some(folder))
    }

    fn start(mut command: Command, folder: Option<TempDir>) -> Result<Self, Reason> {
        // A file takes all that is said, without anybody who reads along. Questions go to the
        // terminal itself.
        let messages = tempfile::tempfile().map_err(Reason::Other)?;
        let process = messages
            .try_clone()
            .map_err(Reason::Other)
            .and_then(|file| command.stderr(file).spawn().map_err(Reason::NoSsh))?;
        Ok(Self {
            process,
            messages,
            folder,
        })
    }

    /// Connects to the near end of a forwarded socket as soon as it is there.
    pub(super) async fn near_end(&mut self, patience: Duration) -> Result<UnixStream, Reason> {
        let end = Instant::now() + patience;
        loop {
            let folder = self.folder.as_ref().map(TempDir::path);
            let path = folder.unwrap_or(Path::new("/")).join("s");
            match UnixStream::connect(path).await {
                Ok(stream) => return Ok(stream),
                Err(_) if self.has_ended() => {
                    let words = self.last_words().await;
                    return Err(words.unwrap_or(Reason::Closed));
                }
                Err(_) if Instant::now() > end => return Err(Reason::NotConnected(patience)),
                Err(_) => sleep(LOOK).await,
            }
        }
    }

    /// Tells whether ssh has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// Returns what ssh said, where it said anything.
    pub(crate) async fn last_words(&mut self) -> Option<Reason> {
        let end = Instant::now() + LAST_WORDS;
        // One that only forwards goes on when a connection fails, but has said why by then.
        while !self.has_ended() && Instant::now() < end {
            if self.folder.is_some() && !self.messages().is_empty() {
                break;
            }
            sleep(LOOK).await;
        }
        let words = self.messages().join("; ");
        Some(Reason::Ssh(words)).filter(|_| !self.messages().is_empty())
    }

    fn messages(&mut self) -> Vec<String> {
        let mut bytes = Vec::new();
        // What can't be read was not said.
        let _ = self.messages.rewind();
        let _ = self.messages.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty() && !line.starts_with("Warning: Permanently added"))
            .map(str::to_owned)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn what_is_on_the_leash_ends_with_its_holder() {
        let mut process = Command::new("sh")
            .args(["-c", LEASH, "sh", "sleep", "600"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(process.try_wait().unwrap(), None);
        drop(process.stdin.take());
        assert_eq!(process.wait().unwrap().signal(), Some(15));
    }
}
