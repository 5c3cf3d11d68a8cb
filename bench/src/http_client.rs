//! HTTP/1.1 over one connection, one request at a time: as much of it as servers under measurement
//! answer with, and no more, so that the generator costs less than they do.
//!
//! Requests are written by the caller as bytes, once, and sent again and again. Answers must have a
//! `Content-Length`; anything else is an error, not a guess.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(30);
/// An answer that is larger is not what was asked for.
const BYTES_MAX: usize = 1024 * 1024;

/// A connection.
pub(crate) struct HttpClient {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, until the next request.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) head: &'a [u8],
    pub(crate) body: &'a [u8],
}

/// Where the parts of an answer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    status: u16,
    body_from: usize,
    end: usize,
}

impl HttpClient {
    /// Connects.
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
        })
    }

    /// Sends a whole request and waits for the whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        let frame = timeout(PATIENCE, self.try_exchange(request)).await??;
        Ok(Answer {
            status: frame.status,
            head: &self.buffer[..frame.body_from],
            body: &self.buffer[frame.body_from..frame.end],
        })
    }

    async fn try_exchange(&mut self, request: &[u8]) -> io::Result<Frame> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut frame = None;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if frame.is_none() {
                frame = frame_of(&self.buffer)?;
            }
            match frame {
                Some(frame) if frame.end > BYTES_MAX => return Err(wrong("a huge answer")),
                Some(frame) if self.buffer.len() == frame.end => return Ok(frame),
                Some(frame) if self.buffer.len() > frame.end => {
                    return Err(wrong("more than an answer"));
                }
                _ if self.buffer.len() > BYTES_MAX => return Err(wrong("a huge head")),
                _ => {}
            }
        }
    }
}

/// Writes a request. A body is JSON.
pub(crate) fn request(method: &str, path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: bench\r\n");
    if let Some(token) = token {
        text += &format!("authorization: Bearer {token}\r\n");
    }
    if method != "GET" && body.is_empty() {
        // Fastify refuses an empty body that claims to be JSON.
        text += "content-length: 0\r\n";
    } else if method != "GET" {
        text += "content-type: application/json\r\n";
        text += &format!("content-length: {}\r\n", body.len());
    }
    text += "\r\n";
    text += body;
    text.into_bytes()
}

/// Where the answer's parts are, once its head is whole.
fn frame_of(bytes: &[u8]) -> io::Result<Option<Frame>> {
    let Some(head_end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else {
        return Ok(None);
    };
    let (head, body_from) = (&bytes[..head_end], head_end + 4);
    let status = head.get(9..12).filter(|_| head.starts_with(b"HTTP/1.1 "));
    let status = status.and_then(number).and_then(|it| it.try_into().ok());
    let status: u16 = status.ok_or_else(|| wrong("no status line"))?;
    let body_bytes = match content_length(head) {
        Some(length) => length,
        None if status == 204 || status == 304 => 0,
        None => return Err(wrong("an answer without a length")),
    };
    Ok(Some(Frame {
        status,
        body_from,
        end: body_from + body_bytes,
    }))
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME)
            .then(|| number(value.trim_ascii()))?
    })
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_in_its_bytes() {
        let bytes = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
        let frame = frame_of(bytes).unwrap().unwrap();
        assert_eq!(frame.status, 201);
        assert_eq!(&bytes[frame.body_from..frame.end], b"hello");
        assert_eq!(frame_of(&bytes[..30]).unwrap(), None, "no whole head yet");
        let none = frame_of(b"HTTP/1.1 204 No Content\r\n\r\n")
            .unwrap()
            .unwrap();
        assert_eq!(none.end, none.body_from);
    }

    #[test]
    fn what_cannot_be_framed_is_an_error() {
        for bytes in [
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".as_slice(),
            b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
            b"SSH-2.0-OpenSSH\r\n\r\n",
        ] {
            assert!(frame_of(bytes).is_err());
        }
    }

    #[test]
    fn a_request_says_how_long_its_body_is() {
        let with = String::from_utf8(request("POST", "/p", Some("t"), "{}")).unwrap();
        assert!(with.contains("content-length: 2\r\n") && with.ends_with("\r\n\r\n{}"));
        assert!(with.contains("authorization: Bearer t\r\n"));
        let without = String::from_utf8(request("POST", "/p", None, "")).unwrap();
        assert!(without.contains("content-length: 0\r\n") && !without.contains("json"));
    }
}
