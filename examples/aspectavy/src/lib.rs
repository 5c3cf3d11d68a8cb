//! aspectavy: avalanche forecasts, route cards and tours, as api and worker from one binary.
//!
//! Everything that a server needs is halobestie's core; signing in and analytics are shared modules. Our
//! own are here, a folder each: they do not know each other. What a track is (`track`) is nobody's module.

mod forecast;
mod routes;
mod tours;
mod track;

use halobestie_core::Entry;
use halobestie_core::cli::Binary;

pub use forecast::Forecast;
pub use routes::Routes;
pub use tours::Tours;

/// What we are built with: all of it, always.
pub static COMPILED: &[Entry] = &[
    Entry::of::<halobestie_auth::Auth>(),
    Entry::of::<halobestie_analytics::Analytics>(),
    Entry::of::<Forecast>(),
    Entry::of::<Routes>(),
    Entry::of::<Tours>(),
];

/// What we are.
pub static BINARY: Binary = Binary::new(
    "aspectavy",
    "Avalanche forecasts, route cards and tours.",
    env!("CARGO_PKG_VERSION"),
    COMPILED,
);
