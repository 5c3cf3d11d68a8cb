//! What halobestie is compared with, one file each: servers that speak another protocol, programs that
//! measure a ceiling, and the ceiling of HTTP itself.

pub(crate) mod api;
pub(crate) mod ceiling;
mod command;
pub(crate) mod line;
pub(crate) mod pgbench;
mod pusher;
pub(crate) mod redis_benchmark;
mod socket_io;
