//! HTTP on hyper and tower: requests, replies, routes, the layer stack, the listeners.
//!
//! From the outside in: `server` accepts connections (`wire` is one of them), `stack` draws the order
//! of the `layers`, `router` finds the row of a `routes` table, whose handler turns a [`Request`] into
//! a [`Reply`]. `exchange` and `traffic` carry what log lines and metrics want to know.

pub mod body;
mod client_addr;
pub mod conditional;
mod connection;
pub mod cookies;
pub mod exchange;
pub mod html;
pub mod layers;
pub mod paging;
pub mod probes;
mod pulse;
pub mod reply;
pub mod request;
pub mod router;
pub mod routes;
pub mod same_origin;
pub mod server;
pub mod stack;
pub mod traffic;
mod wire;
pub mod ws;

pub use body::Body;
pub use client_addr::network_of;
pub use request::Request;
pub use routes::{Access, Routes};
pub use traffic::Traffic;

/// A response of ours, before the outer layers have had it.
pub type Response = http::Response<Body>;

/// What a handler gives back.
pub type Reply = Result<Response, crate::problem::Problem>;

/// A request as the layers see it, before the router makes a [`Request`] of it.
pub type RawRequest = http::Request<request::RequestBody>;
