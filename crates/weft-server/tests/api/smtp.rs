//! A server of mail as small as can be: it takes letters, or refuses them as it was told.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use base64::Engine as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use weft_server::{Config, config::MailConfig};

pub struct Smtp {
    pub address: SocketAddr,
    letters: mpsc::UnboundedReceiver<Received>,
    /// What the next recipients hear; afterwards all are welcome.
    refusals: Arc<Mutex<VecDeque<&'static str>>>,
}

#[derive(Debug)]
pub struct Received {
    pub to: String,
    pub subject: String,
    pub text: String,
}

impl Received {
    /// The secret of the link in it that leads to `page`.
    pub fn secret(&self, page: &str) -> String {
        let (_, rest) = self.text.split_once(&format!("/{page}#")).expect("there is a link");
        rest.split_whitespace().next().unwrap().to_owned()
    }
}

impl Smtp {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, letters) = mpsc::unbounded_channel();
        let refusals = Arc::<Mutex<VecDeque<&'static str>>>::default();
        let told = Arc::clone(&refusals);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, sender.clone(), Arc::clone(&told)));
            }
        });
        Self { address, letters, refusals }
    }

    /// Settings of a server that sends its mail here.
    pub fn config(&self) -> impl FnOnce(&mut Config) + use<> {
        let url = format!("smtp://{}?tls=off", self.address);
        move |config| {
            config.registration = Some(weft_server::config::Registration::Open);
            let from = "Weft <weft@example.org>".parse().unwrap();
            config.mail = Some(MailConfig { smtp: url.parse().unwrap(), from });
            config.limits.mail_retry_ms = 1;
        }
    }

    pub fn refuse(&self, answers: &[&'static str]) {
        self.refusals.lock().unwrap().extend(answers);
    }

    pub fn refusals_left(&self) -> usize {
        self.refusals.lock().unwrap().len()
    }

    pub async fn letter(&mut self) -> Received {
        self.letters.recv().await.expect("the server of mail runs")
    }
}

async fn converse(
    stream: TcpStream,
    letters: mpsc::UnboundedSender<Received>,
    refusals: Arc<Mutex<VecDeque<&'static str>>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut to = String::new();
    stream.write_all(b"220 test\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let answer = match line.to_ascii_uppercase() {
            line if line.starts_with("EHLO") => "250-test\r\n250 8BITMIME".to_owned(),
            line if line.starts_with("RCPT") => {
                to = line.split(['<', '>']).nth(1).unwrap_or("").to_ascii_lowercase();
                refusals.lock().unwrap().pop_front().unwrap_or("250 welcome").to_owned()
            }
            line if line.starts_with("DATA") => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                let mut raw = String::new();
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.ok()?;
                    if line == ".\r\n" {
                        break;
                    }
                    raw += line.strip_prefix('.').unwrap_or(&line);
                }
                letters.send(read(&to, &raw)).ok()?;
                "250 taken".to_owned()
            }
            line if line.starts_with("QUIT") => "221 bye".to_owned(),
            _ => "250 well".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

fn read(to: &str, raw: &str) -> Received {
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("From: Weft <weft@example.org>"), "{head}");
    assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
    assert!(head.contains("Message-ID: <"), "{head}");
    let subject = head.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap();
    let text = if head.contains("quoted-printable") {
        String::from_utf8(unquote(body)).unwrap()
    } else if head.contains("base64") {
        let joined: String = body.split_whitespace().collect();
        let bytes = base64::engine::general_purpose::STANDARD.decode(joined).unwrap();
        String::from_utf8(bytes).unwrap()
    } else {
        body.to_owned()
    };
    Received { to: to.to_owned(), subject: subject.to_owned(), text }
}

fn unquote(body: &str) -> Vec<u8> {
    let body = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = body.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'=', [high, low, after @ ..]) => {
                let hex = [*high, *low];
                let hex = std::str::from_utf8(&hex).unwrap();
                bytes.push(u8::from_str_radix(hex, 16).unwrap());
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}
