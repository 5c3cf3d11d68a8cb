//! A mail server: speaks SMTP over TCP, as strictly as RFC 5321 lets it, and keeps what it takes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use halobestie_testkit::eventually_some;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The user that it knows.
pub(crate) const USER: &str = "halobestie@mail.test";
/// The user's password.
pub(crate) const PASSWORD: &str = "p@ss/word";

/// A letter as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) from: String,
    pub(crate) to: String,
    /// Headers and body, with the line ends and dots of SMTP undone.
    pub(crate) raw: String,
}

impl Arrived {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.raw.split_once("\n\n").unwrap();
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The link, which must stand on a line of its own in the text, and in the HTML too.
    pub(crate) fn link(&self) -> String {
        let link = self
            .raw
            .lines()
            .find(|line| line.starts_with("http"))
            .unwrap();
        let linked = format!("href=\"{link}\"");
        assert_eq!(self.raw.matches(&linked).count(), 2, "{}", self.raw);
        link.to_owned()
    }

    /// The token in the link.
    pub(crate) fn token(&self) -> String {
        self.link().split_once("?token=").unwrap().1.to_owned()
    }
}

#[derive(Default)]
struct Kept {
    arrived: Vec<Arrived>,
    connections: usize,
    answers: Vec<String>,
    wrong: Vec<String>,
}

/// The server. It stops with its test's runtime.
#[derive(Clone)]
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

impl MailServer {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is no part of the server under test"
    )]
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self {
            address,
            kept: Arc::default(),
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.lock().connections += 1;
                let conversation = Conversation::new(serving.clone(), stream);
                tokio::spawn(conversation.hold());
            }
        });
        server
    }

    /// Its address for `SMTP_URL`, with the right password.
    pub(crate) fn url(&self) -> String {
        format!(
            "smtp://halobestie%40mail.test:p%40ss%2Fword@{}",
            self.address
        )
    }

    /// Answers the next recipients with these lines, before it takes any.
    pub(crate) fn will_answer(&self, answers: &[&str]) {
        let answers = answers.iter().rev().map(|it| (*it).to_owned()).collect();
        self.lock().answers = answers;
    }

    /// How many have connected.
    pub(crate) fn connections(&self) -> usize {
        self.lock().connections
    }

    /// Everything taken so far; panics when somebody broke the protocol.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        let kept = self.lock();
        assert!(kept.wrong.is_empty(), "{:?}", kept.wrong);
        kept.arrived.clone()
    }

    /// The `nth` letter (from 1) to somebody, once it is there.
    pub(crate) async fn letter(&self, to: &str, nth: usize) -> Arrived {
        eventually_some("a letter arrives", || async {
            let all = self.arrived();
            let mut theirs = all.into_iter().filter(|it| it.to == to);
            theirs.nth(nth - 1)
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }
}

struct Conversation {
    server: MailServer,
    stream: BufReader<TcpStream>,
    greeted: bool,
    signed_in: bool,
    from: Option<String>,
    to: Option<String>,
}

impl Conversation {
    fn new(server: MailServer, stream: TcpStream) -> Self {
        let stream = BufReader::new(stream);
        let (greeted, signed_in) = (false, false);
        let (from, to) = (None, None);
        Self {
            server,
            stream,
            greeted,
            signed_in,
            from,
            to,
        }
    }

    async fn hold(mut self) {
        self.say("220 mail.test ESMTP").await;
        while let Some(line) = self.line().await {
            let answer = self.answer(&line).await;
            self.say(&answer).await;
            if line == "QUIT" {
                break;
            }
        }
    }

    async fn answer(&mut self, line: &str) -> String {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("EHLO", name) if !name.is_empty() => {
                self.greeted = true;
                "250-mail.test\r\n250-AUTH PLAIN\r\n250 SIZE 1000000".to_owned()
            }
            ("AUTH", proof) if self.greeted => self.sign_in(proof),
            ("MAIL", from) if self.signed_in && self.from.is_none() => {
                self.from = path(from, "FROM:");
                self.outcome(self.from.is_some(), line)
            }
            ("RCPT", to) if self.from.is_some() => {
                if let Some(answer) = self.server.lock().answers.pop() {
                    return answer;
                }
                self.to = path(to, "TO:");
                self.outcome(self.to.is_some(), line)
            }
            ("DATA", "") if self.to.is_some() => {
                self.say("354 go on").await;
                self.take().await
            }
            ("NOOP" | "RSET", "") => "250 fine".to_owned(),
            ("QUIT", "") => "221 bye".to_owned(),
            _ => self.outcome(false, line),
        }
    }

    fn sign_in(&mut self, proof: &str) -> String {
        let expected = STANDARD.encode(format!("\0{USER}\0{PASSWORD}"));
        self.signed_in = proof == format!("PLAIN {expected}");
        match self.signed_in {
            true => "235 welcome".to_owned(),
            false => "535 who are you".to_owned(),
        }
    }

    async fn take(&mut self) -> String {
        let mut lines = Vec::new();
        loop {
            match self.line().await {
                None => return String::new(),
                Some(line) if line == "." => break,
                Some(line) => lines.push(line.strip_prefix('.').unwrap_or(&line).to_owned()),
            }
        }
        let mail = (self.from.take(), self.to.take());
        if let (Some(from), Some(to)) = mail {
            let raw = lines.join("\n");
            self.server.lock().arrived.push(Arrived { from, to, raw });
        }
        "250 taken".to_owned()
    }

    fn outcome(&self, is_right: bool, line: &str) -> String {
        if is_right {
            return "250 fine".to_owned();
        }
        self.server.lock().wrong.push(line.to_owned());
        "503 not now, or not like this".to_owned()
    }

    /// A line without its end, which must be CRLF and nothing else.
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.stream.read_line(&mut line).await.ok()?;
        let text = line.strip_suffix("\r\n");
        if length > 0 && (text.is_none() || line.len() > 1000) {
            self.server
                .lock()
                .wrong
                .push(format!("a line's end: {line:?}"));
        }
        text.map(ToOwned::to_owned)
    }

    async fn say(&mut self, text: &str) {
        // Who went away hears nothing.
        let _ = self
            .stream
            .write_all(format!("{text}\r\n").as_bytes())
            .await;
    }
}

/// The address in `FROM:<…>`, whatever parameters follow.
fn path(text: &str, keyword: &str) -> Option<String> {
    let rest = text.strip_prefix(keyword)?.strip_prefix('<')?;
    let (path, _) = rest.split_once('>')?;
    Some(path.to_owned())
}
