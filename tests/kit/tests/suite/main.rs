//! The kit, tried on a server without any module.

mod databases;
mod faults;
mod servers;
mod sockets;
