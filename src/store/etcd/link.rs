//! A connection to one endpoint: over TCP, a unix socket or ssh, with TLS within.
//!
//! The stream is opened first and then handed to the library, so that why there is none is known by
//! its own reason.

use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use etcd_client::{Certificate, Channel, Client, ConnectOptions, Identity, TlsOptions};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::time::timeout;
use tonic::codegen::Service;
use tonic::codegen::http::Uri;
use tonic::transport::Endpoint as Settings;

use crate::http::address::{Address, Tunnel};
use crate::http::connect;
use crate::http::failure::Reason;
use crate::http::tunnel::Ssh;
use crate::store::etcd::failure::{Failure, innermost};
use crate::store::{Access, Endpoint};

/// A stream of any kind.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

type AnyStream = Box<dyn Stream>;

/// A client of one endpoint.
pub(super) struct Link {
    /// The library's client.
    pub(super) client: Client,
    /// The ssh that carries it.
    ssh: Option<Ssh>,
    /// Whether it speaks TLS and has no certificate to show.
    is_anonymous: bool,
    /// How much longer the next answer may take: ssh logs in only while the first one is waited for.
    pub(super) patience: Duration,
}

/// Hands a stream over once. A connection that ended is made anew from the beginning, not in here.
struct Once(Option<AnyStream>);

impl Service<Uri> for Once {
    type Response = TokioIo<AnyStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let stream = self.0.take().map(TokioIo::new);
        let closed = || io::Error::other("the server closed it");
        Box::pin(ready(stream.ok_or_else(closed)))
    }
}

impl Link {
    /// Connects, and logs in where there is somebody to log in as.
    pub(super) async fn open(access: &Access, endpoint: &Endpoint) -> Result<Self, Failure> {
        let (stream, mut ssh) = stream(access, endpoint).await?;
        match client(access, endpoint, stream).await {
            Ok(client) => Ok(Self {
                client,
                ssh,
                is_anonymous: endpoint.is_secure && access.tls.identity.is_none(),
                patience: if access.login.is_some() {
                    Duration::ZERO
                } else {
                    patience(access)
                },
            }),
            Err(failure) => Err(explained(&mut ssh, failure).await),
        }
    }

    /// Returns a failure of the connection with what is known of its cause.
    pub(super) async fn explained(mut self, failure: Failure) -> Failure {
        if self.is_anonymous && matches!(failure, Failure::Closed(_)) {
            // Of TLS 1.3 a server says only after the handshake that it wants a certificate.
            let text = "the server closed it, and may want a client's certificate";
            return Failure::Closed(text.to_owned());
        }
        explained(&mut self.ssh, failure).await
    }
}

/// Returns what ssh says of a failure, where there is one and it says anything.
async fn explained(ssh: &mut Option<Ssh>, failure: Failure) -> Failure {
    let Some(ssh) = ssh else {
        return failure;
    };
    let has_words = match &failure {
        Failure::Closed(_) => true,
        // One that goes on may have said anything, and not why there is no answer.
        Failure::Silent(_) => ssh.has_ended(),
        _ => false,
    };
    if !has_words {
        return failure;
    }
    let words = ssh.last_words().await;
    words.map_or(failure, Failure::NotConnected)
}

async fn stream(access: &Access, endpoint: &Endpoint) -> Result<(AnyStream, Option<Ssh>), Failure> {
    if let Some(tunnel) = &access.tunnel {
        let (ssh, stream) =
            Ssh::connect(tunnel, &endpoint.address).map_err(Failure::NotConnected)?;
        return Ok((Box::new(stream), Some(ssh)));
    }
    let limit = access.limits.dialing;
    let stream = match timeout(limit, open(&endpoint.address)).await {
        Ok(stream) => stream,
        Err(_) => Err(Reason::NotConnected(limit)),
    };
    Ok((stream.map_err(Failure::NotConnected)?, None))
}

async fn open(address: &Address) -> Result<AnyStream, Reason> {
    match address {
        Address::Tcp { host, port, .. } => Ok(Box::new(connect(host, *port).await?)),
        Address::Unix(path) => {
            let stream = UnixStream::connect(path).await;
            Ok(Box::new(stream.map_err(Reason::of_connecting)?))
        }
    }
}

/// Returns how long ssh may take until it carries anything.
fn patience(access: &Access) -> Duration {
    access
        .tunnel
        .as_ref()
        .map_or(Duration::ZERO, Tunnel::patience)
}

async fn client(
    access: &Access,
    endpoint: &Endpoint,
    stream: AnyStream,
) -> Result<Client, Failure> {
    let limit = access.limits.dialing + patience(access);
    let unusable = |error: &(dyn std::error::Error + 'static)| Failure::Own(innermost(error));
    let uri = match &endpoint.address {
        Address::Tcp { .. } => endpoint.to_string(),
        Address::Unix(_) => "http://localhost".to_owned(),
    };
    let mut settings = Settings::from_shared(uri).map_err(|error| unusable(&error))?;
    if endpoint.is_secure {
        let mut tls = TlsOptions::new().timeout(limit);
        tls = match &access.tls.authority {
            Some(pem) => tls.ca_certificate(Certificate::from_pem(pem)),
            None => tls.with_native_roots(),
        };
        if let Some((certificate, key)) = &access.tls.identity {
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        settings = settings.tls_config(tls).map_err(|error| unusable(&error))?;
    }
    let connecting = settings.connect_with_connector(Once(Some(stream)));
    let channel = match timeout(limit, connecting).await {
        Ok(channel) => channel.map_err(|error| Failure::Closed(innermost(&error)))?,
        Err(_) => return Err(Failure::NotConnected(Reason::NotConnected(limit))),
    };
    let mut options = ConnectOptions::new().with_require_leader(true);
    if let Some(login) = &access.login {
        options = options
            .with_user(login.name.as_str(), login.password.as_str())
            .with_auto_token_refresh(true);
    }
    // Logging in is a request, and the first one.
    let limit = access.limits.command + patience(access);
    let logging_in = Client::from_channel(Channel::Tonic(channel.clone()), Some(options));
    match timeout(limit, logging_in).await {
        Err(_) => Err(Failure::Silent(limit)),
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => {
            let failure = Failure::of(&error);
            let message = failure.to_string();
            // As etcdctl: whoever need not log in may name a user nevertheless.
            if !message.contains("authentication is not enabled") {
                return Err(failure);
            }
            let options = ConnectOptions::new().with_require_leader(true);
            let client = Client::from_channel(Channel::Tonic(channel), Some(options)).await;
            client.map_err(|error| Failure::of(&error))
        }
    }
}
