//! TCP: a task per connection, half-closes kept, each side as slow as the slower one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time;

/// Per direction and connection.
const BUFFER: usize = 16 * 1024;
/// A Pod is one hop away: an address that has not answered by then does not.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// After running out of descriptors or memory, so as not to spin on a connection that cannot be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts and forwards until dropped.
pub(super) async fn serve(listener: Arc<TcpListener>, target: watch::Receiver<SocketAddr>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    connections.spawn(forward(client, target.clone()));
                }
                Err(error) if is_of_the_connection(&error) => {}
                Err(_) => time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Whether only this connection failed, before it was accepted (accept(2)).
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, PermissionDenied};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted | PermissionDenied
    )
}

async fn forward(client: TcpStream, mut target: watch::Receiver<SocketAddr>) {
    let address = *target.borrow_and_update();
    let connect = async {
        time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    };
    let server = tokio::select! {
        connected = connect => connected,
        () = moved(&mut target, address) => Err(io::ErrorKind::ConnectionReset.into()),
    };
    match server {
        Ok(server) => relay(client, server, moved(&mut target, address)).await,
        Err(_) => reset(client),
    }
}

/// Copies both ways until both sides have ended, or one broke, or `moved`.
async fn relay(mut client: TcpStream, mut server: TcpStream, moved: impl Future<Output = ()>) {
    // Small messages must not wait for an acknowledgement of the one before; a failure costs only that.
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let copy = tokio::io::copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER);
    let complete = tokio::select! {
        copied = copy => copied.is_ok(),
        () = moved => false,
    };
    if !complete {
        reset(client);
        reset(server);
    }
}

/// Closes with a reset, so that the other side takes what it got for cut off and not for complete.
fn reset(stream: TcpStream) {
    // Where it fails the close is an ordinary one.
    let _ = set_socket_linger(&stream, Some(Duration::ZERO));
    drop(stream);
}

/// Ends when the target is another one.
async fn moved(target: &mut watch::Receiver<SocketAddr>, address: SocketAddr) {
    // An error means that the forwarder is gone, and with it, in a moment, this task.
    let _ = target.wait_for(|current| *current != address).await;
}
