//! The kit, tried on a server without any module.

mod browsers;
mod databases;
mod faults;
mod servers;
mod sockets;
