//! The bytes of one connection: a TCP stream with the manners that hyper leaves to us.
//!
//! - A reader that takes nothing for too long is dropped.
//! - hyper answers what it cannot parse by itself, with a status and no body: such an answer is
//!   replaced by a problem with a request id.
//! - Closing lingers: the client's unread bytes are taken in for a moment, because a socket that is
//!   dropped with unread bytes resets the connection and can destroy the answer on its way.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::pulse::Pulse;

/// How long a write may make no progress at all.
const WRITE_STALL_MAX: Duration = Duration::from_secs(30);
/// How long, and how much, a closing connection listens to what it will not answer.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Writes our own answer for one that hyper made by itself.
pub(crate) type Rephrase = Box<dyn Fn(u16) -> Option<Bytes> + Send + Sync>;

/// A connection's stream, with what must live as long as it does.
pub(crate) struct Wire<S> {
    tcp: TcpStream,
    pulse: Arc<Pulse>,
    rephrase: Rephrase,
    ours: Bytes,
    stalled: Option<Pin<Box<Sleep>>>,
    closing: Option<Closing>,
    /// Held, not read: the connection's place among those that are allowed.
    _seat: S,
}

struct Closing {
    give_up: Pin<Box<Sleep>>,
    bytes_left: usize,
}

impl<S> Wire<S> {
    pub(crate) fn new(tcp: TcpStream, pulse: Arc<Pulse>, rephrase: Rephrase, seat: S) -> Self {
        let (ours, stalled, closing) = (Bytes::new(), None, None);
        Self {
            tcp,
            pulse,
            rephrase,
            ours,
            stalled,
            closing,
            _seat: seat,
        }
    }

    /// Takes an answer of hyper's own and queues ours instead. True when it did.
    fn replaces(&mut self, chunk: &[u8]) -> bool {
        let Some(ours) = bare_refusal(chunk).and_then(|status| (self.rephrase)(status)) else {
            return false;
        };
        self.ours = ours;
        true
    }

    fn poll_ours(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.ours.has_remaining() {
            let poll = Pin::new(&mut self.tcp).poll_write(cx, &self.ours);
            let written = ready!(self.unless_stalled(cx, poll))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.ours.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Lets a write's outcome pass; one that waits runs against the clock.
    fn unless_stalled(
        &mut self,
        cx: &mut Context<'_>,
        poll: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if poll.is_ready() {
            self.stalled = None;
            return poll;
        }
        let timer = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(WRITE_STALL_MAX)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(closing) = &mut self.closing else {
            return Poll::Ready(());
        };
        let mut scratch = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.tcp).poll_read(cx, &mut buffer) {
                Poll::Pending => return closing.give_up.as_mut().poll(cx),
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {
                    let read = buffer.filled().len();
                    closing.bytes_left = closing.bytes_left.saturating_sub(read);
                    if read == 0 || closing.bytes_left == 0 {
                        return Poll::Ready(());
                    }
                }
            }
        }
    }
}

impl<S: Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.tcp).poll_read(cx, buffer))?;
        this.pulse.hear();
        Poll::Ready(Ok(()))
    }
}

impl<S: Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        chunk: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_ours(cx))?;
        if this.replaces(chunk) {
            return Poll::Ready(Ok(chunk.len()));
        }
        let poll = Pin::new(&mut this.tcp).poll_write(cx, chunk);
        this.unless_stalled(cx, poll)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        chunks: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_ours(cx))?;
        // An answer of hyper's own has a head and no body, so it comes as one chunk.
        if let [chunk] = chunks
            && this.replaces(chunk)
        {
            return Poll::Ready(Ok(chunk.len()));
        }
        let poll = Pin::new(&mut this.tcp).poll_write_vectored(cx, chunks);
        this.unless_stalled(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_ours(cx))?;
        Pin::new(&mut this.tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_ours(cx))?;
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.tcp).poll_shutdown(cx))?;
            let give_up = Box::pin(sleep(LINGER));
            this.closing = Some(Closing {
                give_up,
                bytes_left: LINGER_BYTES_MAX,
            });
        }
        this.poll_linger(cx).map(Ok)
    }
}

/// The status of an answer that hyper made by itself: a 4xx head without a body that did not come
/// through our layers, which put a request id into every answer.
fn bare_refusal(chunk: &[u8]) -> Option<u16> {
    const LONGEST: usize = 256;
    let status = chunk.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    if !status.starts_with(b"4") || chunk.len() > LONGEST || !chunk.ends_with(b"\r\n\r\n") {
        return None;
    }
    let head = std::str::from_utf8(chunk).ok()?;
    if head.contains("\r\nx-request-id:") || !head.contains("\r\ncontent-length: 0\r\n") {
        return None;
    }
    std::str::from_utf8(status).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_an_answer_of_hyper_from_ours() {
        let hyper = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\
                      content-length: 0\r\ndate: Fri, 21 Nov 2025 08:00:00 GMT\r\n\r\n";
        assert_eq!(bare_refusal(hyper), Some(431));
        let ours = b"HTTP/1.1 404 Not Found\r\nx-request-id: a\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(bare_refusal(ours), None);
        assert_eq!(
            bare_refusal(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            None
        );
        assert_eq!(bare_refusal(b"HTTP/1.1 4"), None);
    }
}
