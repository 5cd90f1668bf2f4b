//! The whole path, from a client's bytes to the backend's and back, over real sockets.

mod support;

mod backends;
mod hostile;
mod messages;
mod nginx;
mod time;
mod tunnels;
