//! A wire that carries questions and loses the answers.

use std::net::SocketAddr;

use tokio::io::copy;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Carries what comes to `target`, and nothing back, for as long as it is polled. When it is dropped, who
/// asked sees the connection break.
pub(super) async fn lose_answers(listener: TcpListener, target: SocketAddr) {
    let mut wires = JoinSet::new();
    loop {
        let Ok((mut asking, _)) = listener.accept().await else {
            return;
        };
        wires.spawn(async move {
            let mut answering = TcpStream::connect(target).await?;
            copy(&mut asking, &mut answering).await
        });
    }
}
