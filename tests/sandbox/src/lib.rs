//! The outside world in a box: Fazpass, Xendit and Google as far as the server talks to them.
//!
//! Real HTTP servers on loopback, as strict as the real ones: unknown fields, wrong types, missing
//! keys, wrong paths and wrong content types are refused, in each upstream's own words. Behind each
//! is a record of what it did (messages, invoices, pushes, calls), and in front of it are knobs that
//! make it slow, wrong, forgetful or gone.
//!
//! [`Aptabase`] is not in the box but beside it, at a port of its own; so is any upstream that somebody
//! else writes ([`Upstream`], [`Standalone`]), with the same knobs and the same record.
//!
//! Never part of an image: nothing that ships depends on this package. A test starts one for itself,
//! as many at once as it likes; `dev` runs the program `halobestie-sandbox`, which adds pages.
//!
//! ```
//! # async fn test() {
//! use halobestie_sandbox::{Fault, Sandbox};
//!
//! let sandbox = Sandbox::start().await; // or with_clock(app's clock)
//! let env = sandbox.fazpass.variables(); // FAZPASS_BASE_URL and its like, for the server
//!
//! sandbox.fazpass.knobs.lose_next(1); // the message goes out, its answer does not come back
//! sandbox.fazpass.knobs.fail_next(2, "503"); // then two refusals
//! sandbox.fazpass.knobs.strike(Some("send"), 1, Fault::bad_gateway());
//! sandbox.fazpass.knobs.down().await; // connections are refused, until up()
//!
//! let code = sandbox.fazpass.last_code("+628123456789");
//! let calls = sandbox.fazpass.calls(); // headers and bodies as they came
//! # }
//! ```
//!
//! Time that upstreams speak of (expiries, stamps) is the clock's; waits on the wire (delays, retries of
//! webhooks) are real.

pub mod aptabase;
pub mod fazpass;
pub mod google;
mod knobs;
mod pages;
mod ring;
mod sandbox;
mod upstream;
pub mod xendit;

pub use aptabase::Aptabase;
pub use fazpass::Fazpass;
pub use google::Google;
pub use knobs::{Conditions, Fault, KnobError, Knobs, Planned};
pub use sandbox::{Builder, Sandbox};
pub use upstream::{Answer, Call, RecordedCall, Standalone, Upstream};
pub use xendit::Xendit;
