//! Random frames at a live server: it answers, or closes by one of its codes, and goes on.
#![expect(clippy::print_stdout, reason = "a failure must name its seed")]

use halobestie_core::entropy::Entropy;
use halobestie_testkit::TestSocket;
use halobestie_testkit::tungstenite::Message;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{Talk, socket, start, talk};

/// Sockets that are tried, and frames on each at most.
const SOCKETS: u64 = 30;
const FRAMES: u64 = 30;
/// Bad frame, not signed in (a random token), flooding.
const CODES: [u16; 3] = [4400, 4401, 4429];

/// A repeatable source of nonsense.
struct Nonsense<'a> {
    chance: Entropy,
    talk: &'a Talk,
}

impl Nonsense<'_> {
    fn below(&self, bound: usize) -> usize {
        usize::try_from(self.chance.below(bound as u64)).unwrap()
    }

    fn one_of<'b, T>(&self, of: &'b [T]) -> &'b T {
        &of[self.below(of.len())]
    }

    fn frame(&self) -> Message {
        match self.below(12) {
            0 => Message::binary(self.bytes(200)),
            1 => Message::text(self.text()),
            2 => Message::Ping(self.bytes(100).into()),
            3 => Message::Pong(self.bytes(100).into()),
            4 => Message::text(self.value(3).to_string()),
            5 => {
                let whole = self.object().to_string();
                let cut = (0..=self.below(whole.len()))
                    .rev()
                    .find(|at| whole.is_char_boundary(*at));
                Message::text(whole[..cut.unwrap_or(0)].to_owned())
            }
            _ => Message::text(self.object().to_string()),
        }
    }

    fn bytes(&self, most: usize) -> Vec<u8> {
        (0..self.below(most))
            .map(|_| self.chance.bytes::<1>()[0])
            .collect()
    }

    fn text(&self) -> String {
        let texts = [
            "",
            "\0",
            "hai",
            "\u{202e}abc",
            "{\"type\":",
            "\"\\ud800\"",
            "🙂",
            "null",
            "[[[[[",
        ];
        self.one_of(&texts).repeat(1 + self.below(20))
    }

    /// A frame of a known type whose fields may be anything.
    fn object(&self) -> Value {
        let kinds = [
            "ping",
            "message.send",
            "message.send",
            "message.read",
            "typing",
            "resume",
            "heartbeat",
            "auth",
            "hello",
            "",
        ];
        let mut object = json!({"type": self.one_of(&kinds)});
        let fields = [
            "id",
            "session_id",
            "client_message_id",
            "kind",
            "body",
            "attachment_id",
            "seq",
            "typing",
            "sessions",
            "access_token",
        ];
        for field in fields {
            if self.below(4) > 0 {
                object[field] = self.field(field);
            }
        }
        object
    }

    fn field(&self, field: &str) -> Value {
        if self.below(4) == 0 {
            return self.value(2);
        }
        match field {
            "session_id" => json!(self.talk.id),
            "kind" => json!(self.one_of(&["text", "image", "audio"])),
            "seq" => self.number(),
            "typing" => json!(self.below(2) == 0),
            "sessions" => {
                let place =
                    || json!({"session_id": self.field("session_id"), "after_seq": self.number()});
                (0..self.below(120)).map(|_| place()).collect()
            }
            _ => json!(self.text()),
        }
    }

    fn number(&self) -> Value {
        let numbers = [
            json!(0),
            json!(1),
            json!(-1),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(1.5),
            json!(1e300),
        ];
        self.one_of(&numbers).clone()
    }

    fn value(&self, depth: usize) -> Value {
        match self.below(if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => self.number(),
            3 => json!(self.text()),
            4 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => json!({"type": self.value(depth - 1), "a": self.value(depth - 1)}),
        }
    }
}

/// Chance of which the seed is printed, so that a failure can be played again.
fn chance() -> Entropy {
    let seed = Entropy::system().below(u64::MAX);
    println!("seed {seed}");
    Entropy::seeded(seed)
}

#[tokio::test]
async fn random_frames_are_answered_or_closed_by_a_known_code() {
    let app = start().await;
    let talk = talk(&app).await;
    let nonsense = Nonsense {
        chance: chance(),
        talk: &talk,
    };
    for _ in 0..SOCKETS {
        let mut socket = socket(&app, &talk.customer).await;
        for _ in 0..FRAMES {
            // The server may have closed meanwhile.
            if socket.try_send(nonsense.frame()).await.is_err() {
                break;
            }
        }
        judge(socket).await;
    }
    let history = talk.history(&app).await;
    let numbers: Vec<i64> = (1..=history.len() as i64).collect();
    assert_eq!(crate::world::seqs(&history), numbers);
    app.get("/livez").send().await.expect(200);
}

/// Ends a socket and looks at what it was told.
async fn judge(mut socket: TestSocket) {
    let _ = socket.try_send(Message::text("the end")).await;
    let (frames, code) = socket.ending().await;
    assert!(CODES.contains(&code), "closed with {code}");
    for frame in frames {
        assert_ne!(frame["code"], "internal", "{frame}");
    }
}

#[tokio::test]
async fn random_bytes_after_the_handshake_end_one_connection_alone() {
    let app = start().await;
    let talk = talk(&app).await;
    let nonsense = Nonsense {
        chance: chance(),
        talk: &talk,
    };
    let mut bystander = socket(&app, &talk.mitra).await;
    for _ in 0..SOCKETS {
        let mut stream = TcpStream::connect(app.public_address()).await.unwrap();
        let handshake = format!(
            "GET /api/ws HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Authorization: Bearer {}\r\n\r\n",
            talk.customer.access_token
        );
        let bytes = [handshake.as_bytes(), &nonsense.bytes(3000)].concat();
        // It may hang up in the middle.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    bystander.so_far().await;
    talk.send(&app, &talk.customer, "still here")
        .await
        .expect(201);
    assert_eq!(bystander.expect("message.new").await["message"]["seq"], 1);
}
