//! The door to HTTP servers: requests over one connection that is kept, in plain functions.
//!
//! In: a server's address, perhaps an ssh host on the way to it, and requests. Out: answers of any
//! status, or why there is none. Every request has its time limits, every answer its greatest size.
//! Knows nothing of what the answers mean. Nobody outside knows that futures exist.

pub mod address;
pub mod failure;
pub(crate) mod tunnel;

use std::io;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout, timeout_at};

use crate::http::address::{Address, Tunnel};
use crate::http::failure::{Failure, Reason};
use crate::http::tunnel::Ssh;

/// How much time and room a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until there is a connection.
    pub connecting: Duration,
    /// From the connection to the end of the answer.
    pub total: Duration,
    /// The greatest body of an answer in bytes.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connecting: Duration::from_secs(5),
            total: Duration::from_secs(30),
            body: 64 << 20,
        }
    }
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Takes away.
    Delete,
    /// Reads.
    Get,
    /// Writes.
    Put,
}

impl Method {
    /// Returns the name in the protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Put => "PUT",
        }
    }
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What it does.
    pub method: Method,
    /// The path with its query, percent-encoded.
    pub path: &'a str,
    /// A JSON text.
    pub body: Option<&'a str>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns a header's value by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A client of one server.
pub struct Client {
    /// Taken only when the client is dropped.
    runtime: Option<Runtime>,
    link: Link,
}

impl Drop for Client {
    fn drop(&mut self) {
        // A name that is still being looked up is not waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// Makes a client, which connects with its first request.
    #[must_use]
    pub fn new(address: Address, tunnel: Option<Tunnel>, limits: Limits) -> Self {
        Self {
            runtime: None,
            link: Link {
                address,
                tunnel,
                limits,
                forwarding: None,
                connection: None,
            },
        }
    }

    /// Returns where the server is, and by which way, as a user reads it.
    #[must_use]
    pub fn server(&self) -> String {
        self.link.server()
    }

    /// Sends a request and returns the answer, whatever its status.
    ///
    /// A connection that the server closed in the meantime is made anew, once, where the request can't
    /// have arrived or only reads.
    ///
    /// # Errors
    /// Says why there is no answer.
    pub fn send(&mut self, request: Request<'_>) -> Result<Response, Failure> {
        let runtime = match &self.runtime {
            Some(runtime) => Ok(runtime),
            None => Builder::new_current_thread()
                .enable_all()
                .build()
                .map(|runtime| &*self.runtime.insert(runtime)),
        };
        let result = match runtime {
            Ok(runtime) => runtime.block_on(self.link.send(request)),
            Err(error) => Err(Reason::Other(error)),
        };
        result.map_err(|reason| Failure {
            request: format!("{} {}", request.method.as_str(), request.path),
            server: self.link.server(),
            reason,
        })
    }
}

/// What a client holds apart from its runtime.
struct Link {
    address: Address,
    tunnel: Option<Tunnel>,
    limits: Limits,
    /// The ssh that forwards a unix socket for all connections.
    forwarding: Option<Ssh>,
    connection: Option<Connection>,
}

/// A connection to the server.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// The ssh that is this connection.
    ssh: Option<Ssh>,
    /// Whether an answer came over it before.
    used: bool,
}

/// Why an attempt failed, and whether another one does no harm.
struct Attempt {
    reason: Reason,
    unsent: bool,
}

impl Link {
    fn server(&self) -> String {
        match &self.tunnel {
            None => format!("`{}`", self.address),
            Some(tunnel) => format!("`{}` by way of `{tunnel}`", self.address),
        }
    }

    async fn send(&mut self, request: Request<'_>) -> Result<Response, Reason> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let was_used = connection.used;
        let mut result = self.attempt(&mut connection, request).await;
        if let Err(attempt) = &result
            && was_used
            && (attempt.unsent
                || request.method == Method::Get && matches!(attempt.reason, Reason::Closed))
        {
            connection = self.connect().await?;
            result = self.attempt(&mut connection, request).await;
        }
        match result {
            Ok(response) => {
                connection.used = true;
                self.connection = Some(connection);
                Ok(response)
            }
            Err(Attempt { reason, .. }) => Err(self.explain(connection.ssh, reason).await),
        }
    }

    /// Returns what ssh says of a failure, where there is a tunnel and it says anything.
    async fn explain(&mut self, ssh: Option<Ssh>, reason: Reason) -> Reason {
        // ssh tells of its own failures by closing the connection.
        if !matches!(reason, Reason::Closed) {
            return reason;
        }
        let words = match (ssh, &mut self.forwarding) {
            (Some(mut ssh), _) => ssh.last_words().await,
            (None, Some(ssh)) => ssh.last_words().await,
            (None, None) => None,
        };
        self.forwarding = None;
        words.unwrap_or(reason)
    }

    async fn connect(&mut self) -> Result<Connection, Reason> {
        let limit = self.limits.connecting;
        match (&self.tunnel, &self.address) {
            (None, address) => match timeout(limit, open(address)).await {
                Ok(connection) => connection,
                Err(_) => Err(Reason::NotConnected(limit)),
            },
            (Some(tunnel), Address::Tcp { .. }) => {
                let (ssh, stream) = Ssh::connect(tunnel, &self.address)?;
                shake_hands(stream, Some(ssh)).await
            }
            (Some(tunnel), Address::Unix(path)) => {
                if self.forwarding.as_mut().is_none_or(Ssh::has_ended) {
                    self.forwarding = Some(Ssh::forward(tunnel, path)?);
                }
                match &mut self.forwarding {
                    Some(ssh) => shake_hands(ssh.near_end(tunnel.patience()).await?, None).await,
                    None => Err(Reason::Closed),
                }
            }
        }
    }

    async fn attempt(
        &self,
        connection: &mut Connection,
        request: Request<'_>,
    ) -> Result<Response, Attempt> {
        let sent = |reason| Attempt {
            reason,
            unsent: false,
        };
        // The runtime stood still since the last request: it has to turn before a connection is
        // known to be closed.
        for _ in 0..4 {
            yield_now().await;
        }
        let fresh = !connection.used;
        let patience = self.tunnel.as_ref().filter(|_| fresh).map(Tunnel::patience);
        let time = self.limits.total + patience.unwrap_or_default();
        let end = Instant::now() + time;
        let message = self.message(request).map_err(sent)?;
        let answer = timeout_at(end, connection.sender.try_send_request(message));
        let answer = match answer.await {
            Err(_) => return Err(sent(Reason::Silent(time))),
            Ok(Err(mut error)) => {
                return Err(Attempt {
                    unsent: error.take_message().is_some(),
                    reason: Reason::of_exchange(error.into_error(), None),
                });
            }
            Ok(Ok(answer)) => answer,
        };
        let (parts, body) = answer.into_parts();
        let body = match timeout_at(end, read(body, self.limits.body)).await {
            Ok(body) => body.map_err(sent)?,
            Err(_) => return Err(sent(Reason::Slow(time))),
        };
        let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        };
        Ok(Response {
            status: parts.status.as_u16(),
            headers: parts.headers.iter().map(header).collect(),
            body,
        })
    }

    fn message(&self, request: Request<'_>) -> Result<hyper::Request<Full<Bytes>>, Reason> {
        const AGENT: &str = concat!("unitgen/", env!("CARGO_PKG_VERSION"));
        let path = format!("{}{}", self.address.prefix(), request.path);
        let mut builder = hyper::Request::builder()
            .method(request.method.as_str())
            .uri(path)
            .header(HOST, self.address.authority())
            .header(USER_AGENT, AGENT);
        if request.body.is_some() {
            builder = builder.header(CONTENT_TYPE, "application/json");
        }
        let body = request.body.unwrap_or_default().to_owned();
        let message = builder.body(Full::new(Bytes::from(body)));
        message.map_err(|error| Reason::Other(io::Error::other(error)))
    }
}

/// Connects to a port of a host.
pub(crate) async fn connect(host: &str, port: u16) -> Result<TcpStream, Reason> {
    let found = lookup_host((host, port)).await;
    let addresses: Vec<_> = found.map_err(|_| Reason::HostNotFound)?.collect();
    let stream = TcpStream::connect(addresses.as_slice()).await;
    let stream = stream.map_err(Reason::of_connecting)?;
    // A request is written at once; nothing is gained by waiting for more.
    stream.set_nodelay(true).map_err(Reason::Other)?;
    Ok(stream)
}

async fn open(address: &Address) -> Result<Connection, Reason> {
    match address {
        Address::Tcp { host, port, .. } => shake_hands(connect(host, *port).await?, None).await,
        Address::Unix(path) => {
            let stream = UnixStream::connect(path).await;
            shake_hands(stream.map_err(Reason::of_connecting)?, None).await
        }
    }
}

async fn shake_hands(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ssh: Option<Ssh>,
) -> Result<Connection, Reason> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Reason::of_exchange(error, None))?;
    // Its errors come to light with the request they belong to.
    drop(tokio::spawn(connection));
    Ok(Connection {
        sender,
        ssh,
        used: false,
    })
}

async fn read(mut body: Incoming, limit: usize) -> Result<Vec<u8>, Reason> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Reason::of_exchange(error, Some(bytes.len())))?;
        if let Some(data) = frame.data_ref() {
            if bytes.len() + data.len() > limit {
                return Err(Reason::TooLarge(limit));
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
}
