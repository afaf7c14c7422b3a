//! One letter to one receiver, wherever people say that it is: webhooks, and what is pushed to browsers.
//!
//! The name is looked up here, every address that it has is checked, and the connection goes to one of those: nobody can
//! answer the check with one address and the connection with another. There is no proxy, no redirect is followed, and no
//! connection is used twice.

mod gate;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, client::conn::http1, header, header::HeaderName};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::{Host, Position, Url};

pub(crate) use gate::Gate;

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;
/// How long an address may take to take a connection, before the next one is tried.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// How long an answer that has begun may take to show what is kept of it.
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// What is kept of an answer.
const ANSWER_BYTES_MAX: usize = 1_024;
/// The head of an answer.
const HEAD_BYTES_MAX: usize = 65_536;

/// Finds the addresses of a name.
pub(crate) trait Names: Send + Sync {
    /// All of them.
    fn addresses<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// As the system finds them.
struct SystemNames;

impl Names for SystemNames {
    fn addresses<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(lookup_host((host, port)).await?.collect()) })
    }
}

/// What is sent.
pub(crate) struct Letter {
    pub url: String,
    /// What it says above what all of them say.
    pub headers: Vec<(HeaderName, String)>,
    pub body: Bytes,
}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub status: Option<u16>,
    /// `None`: the receiver took it.
    pub fault: Option<&'static str>,
    /// How the answer begins.
    pub answer: String,
}

/// Sends letters.
pub(crate) struct Poster {
    pub gate: Gate,
    names: Arc<dyn Names>,
    tls: TlsConnector,
    time_max: Duration,
}

/// A code of what went wrong.
type Fault = &'static str;

impl Poster {
    pub fn new(gate: Gate, ms_max: u64) -> Self {
        Self::with(gate, ms_max, Arc::new(SystemNames), roots())
    }

    fn with(gate: Gate, ms_max: u64, names: Arc<dyn Names>, roots: RootCertStore) -> Self {
        let tls = TlsConnector::from(Arc::new(tls_config(roots)));
        Self { gate, names, tls, time_max: Duration::from_millis(ms_max) }
    }

    /// Sends a letter, and waits for the answer.
    pub async fn post(&self, letter: &Letter) -> Sent {
        let sent = timeout(self.time_max, self.try_post(letter)).await;
        let failed = |fault| Sent { fault: Some(fault), ..Sent::default() };
        sent.map_or_else(|_| failed("timeout"), |sent| sent.unwrap_or_else(failed))
    }

    async fn try_post(&self, letter: &Letter) -> Result<Sent, Fault> {
        // Rules may have changed since it was stored.
        let url = self.gate.read(&letter.url).map_err(|_| "refused")?;
        let is_https = url.scheme() == "https";
        let addresses = self.addresses(&url).await?;
        if !addresses.iter().all(|address| self.gate.lets_through(address.ip(), is_https)) {
            return Err("refused");
        }
        let stream = connect(&addresses).await?;
        if is_https {
            let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let name = ServerName::try_from(host).map_err(|_| "tls")?;
            let stream = self.tls.connect(name, stream).await.map_err(|_| "tls")?;
            exchange(stream, &url, letter).await
        } else {
            exchange(stream, &url, letter).await
        }
    }

    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, Fault> {
        let port = url.port_or_known_default().ok_or("refused")?;
        let found = match url.host().ok_or("refused")? {
            Host::Ipv4(v4) => vec![SocketAddr::from((v4, port))],
            Host::Ipv6(v6) => vec![SocketAddr::from((v6, port))],
            Host::Domain(name) => {
                self.names.addresses(name, port).await.map_err(|_| "unresolved")?
            }
        };
        if found.is_empty() { Err("unresolved") } else { Ok(found) }
    }
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Fault> {
    for address in addresses.iter().take(ADDRESSES_MAX) {
        if let Ok(Ok(stream)) = timeout(CONNECT_MAX, TcpStream::connect(address)).await {
            return Ok(stream);
        }
    }
    Err("unreachable")
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    url: &Url,
    letter: &Letter,
) -> Result<Sent, Fault> {
    let mut request = Request::post(&url[Position::BeforePath..Position::AfterQuery])
        .header(header::HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(header::USER_AGENT, concat!("Weft/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close");
    for (name, value) in &letter.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(letter.body.clone())).map_err(|_| "refused")?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| "no_answer")?;
    // Ends with this future, whatever the receiver does.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await.map_err(|_| "no_answer")?;
    let status = response.status();
    let answer = beginning(response).await;
    let fault = (!status.is_success()).then_some("status");
    Ok(Sent { status: Some(status.as_u16()), fault, answer })
}

/// How the answer begins. The status has said already whether the letter was taken.
async fn beginning(response: Response<Incoming>) -> String {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    let read = async {
        while bytes.len() < ANSWER_BYTES_MAX {
            let Some(Ok(frame)) = body.frame().await else { break };
            let Some(data) = frame.data_ref() else { break };
            bytes.extend_from_slice(&data[..data.len().min(ANSWER_BYTES_MAX - bytes.len())]);
        }
    };
    let _ = timeout(ANSWER_MAX, read).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The system's authorities are believed.
fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!(%error, "some certificates of the system cannot be read");
    }
    roots.add_parsable_certificates(found.certs);
    roots
}

fn tls_config(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider knows the protocol's versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CertifiedKey, KeyPair, date_time_ymd};
    use rustls::{ServerConfig, pki_types::PrivateKeyDer};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        task::JoinHandle,
    };
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// Every name has these addresses.
    struct Fixed(Vec<SocketAddr>);

    impl Names for Fixed {
        fn addresses<'a>(
            &'a self,
            _: &'a str,
            _: u16,
        ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
            Box::pin(async { Ok(self.0.clone()) })
        }
    }

    fn letter(url: &str) -> Letter {
        let headers = vec![(HeaderName::from_static("webhook-id"), "msg_1".to_owned())];
        Letter { url: url.to_owned(), headers, body: Bytes::from("{}") }
    }

    async fn post(allowed: &[&str], url: &str, addresses: Vec<SocketAddr>) -> Sent {
        let allowed = allowed.iter().map(|network| network.parse().unwrap()).collect();
        let names = Arc::new(Fixed(addresses));
        let roots = RootCertStore::empty();
        Poster::with(Gate::new(allowed), 5_000, names, roots).post(&letter(url)).await
    }

    /// Where one connection is answered with this, and what was asked on it, once that has come.
    async fn receiver(answer: &'static str) -> (SocketAddr, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"{}") {
                let mut bytes = [0; 1_024];
                let count = stream.read(&mut bytes).await.unwrap();
                assert!(count > 0, "all of it comes");
                asked.extend_from_slice(&bytes[..count]);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(asked).unwrap()
        });
        (address, asked)
    }

    const REFUSED: Sent = Sent { status: None, fault: Some("refused"), answer: String::new() };

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_before_anything_is_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inside = listener.local_addr().unwrap();
        let public = SocketAddr::from(([1, 1, 1, 1], inside.port()));
        let url = "https://hooks.example.org/";
        assert_eq!(post(&[], url, vec![inside]).await, REFUSED);
        // One address of many is enough.
        assert_eq!(post(&[], url, vec![public, inside]).await, REFUSED);
        // A name of an allowed network does not open others.
        assert_eq!(post(&["10.0.0.0/8"], "http://hooks.example.org/", vec![inside]).await, REFUSED);
        assert_eq!(post(&[], "https://127.0.0.1/", vec![public]).await, REFUSED);
        let unresolved = Sent { fault: Some("unresolved"), ..Sent::default() };
        assert_eq!(post(&[], url, Vec::new()).await, unresolved);
        let nobody = async { listener.accept().await };
        assert!(timeout(Duration::ZERO, nobody).await.is_err(), "nobody came");
    }

    #[tokio::test]
    async fn the_connection_goes_to_the_address_that_was_checked() {
        let (address, asked) = receiver("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine").await;
        let url = format!("http://hooks.example.org:{}/in?a=b", address.port());
        let sent = post(&["127.0.0.1"], &url, vec![address]).await;
        assert_eq!(sent, Sent { status: Some(200), fault: None, answer: "fine".to_owned() });
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("POST /in?a=b HTTP/1.1\r\n"), "{asked}");
        let host = format!("\r\nhost: hooks.example.org:{}\r\n", address.port());
        assert!(asked.contains(&host) && asked.contains("\r\nwebhook-id: msg_1\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn redirects_are_not_followed_and_answers_are_cut() {
        let (elsewhere, followed) = receiver("HTTP/1.1 200 OK\r\n\r\n").await;
        let answer = format!(
            "HTTP/1.1 302 Found\r\nlocation: http://{elsewhere}/\r\ncontent-length: 9000\r\n\r\n{}",
            "x".repeat(9_000)
        );
        let (address, asked) = receiver(Box::leak(answer.into_boxed_str())).await;
        let sent = post(&["127.0.0.1"], &format!("http://{address}/"), Vec::new()).await;
        assert_eq!((sent.status, sent.fault), (Some(302), Some("status")));
        assert_eq!(sent.answer, "x".repeat(ANSWER_BYTES_MAX));
        asked.abort();
        assert!(!followed.is_finished());
        followed.abort();
    }

    #[tokio::test]
    async fn what_is_no_answer_is_told_as_such() {
        let (address, asked) = receiver("SSH-2.0-nothing of this is told\r\n").await;
        let sent = post(&["127.0.0.1"], &format!("http://{address}/"), Vec::new()).await;
        assert_eq!(sent, Sent { fault: Some("no_answer"), ..Sent::default() });
        asked.await.unwrap();
    }

    /// Who listens by TLS, at that address: shows the certificate, and answers whoever believes it.
    async fn secure_receiver(shown: &CertifiedKey<KeyPair>) -> (SocketAddr, JoinHandle<String>) {
        let key = PrivateKeyDer::try_from(shown.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![shown.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            if let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await {
                while !asked.ends_with(b"{}") {
                    let mut bytes = [0; 1_024];
                    match stream.read(&mut bytes).await {
                        Ok(count) if count > 0 => asked.extend_from_slice(&bytes[..count]),
                        _ => break,
                    }
                }
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            }
            String::from_utf8(asked).unwrap()
        });
        (address, asked)
    }

    #[tokio::test]
    async fn only_a_certificate_for_the_name_that_holds_and_is_believed_is_sent_anything() {
        let make = |name: &str, ends: i32| {
            let mut params = CertificateParams::new([name.to_owned()]).unwrap();
            params.not_after = date_time_ymd(ends, 1, 1);
            let signing_key = KeyPair::generate().unwrap();
            let cert = params.self_signed(&signing_key).unwrap();
            CertifiedKey { cert, signing_key }
        };
        let fits = make("hooks.example.org", 2099);
        for (shown, believed, took) in [
            (&fits, true, true),
            (&fits, false, false),
            (&make("hooks.example.com", 2099), true, false),
            (&make("hooks.example.org", 2001), true, false),
        ] {
            let (address, asked) = secure_receiver(shown).await;
            let mut roots = RootCertStore::empty();
            if believed {
                roots.add(shown.cert.der().clone()).unwrap();
            }
            let gate = Gate::new(vec!["127.0.0.1".parse().unwrap()]);
            let poster = Poster::with(gate, 5_000, Arc::new(Fixed(vec![address])), roots);
            let url = format!("https://hooks.example.org:{}/in", address.port());
            let sent = poster.post(&letter(&url)).await;
            let expected = if took {
                Sent { status: Some(204), ..Sent::default() }
            } else {
                Sent { fault: Some("tls"), ..Sent::default() }
            };
            assert_eq!(sent, expected);
            assert_eq!(asked.await.unwrap().starts_with("POST /in HTTP/1.1\r\n"), took);
        }
    }
}
