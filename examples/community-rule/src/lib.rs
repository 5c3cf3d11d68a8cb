//! A browser application's backend on halobestie's core: who signs in by an emailed link is carried by a
//! cookie from then on, drafts rules, and publishes them.
//!
//! Two modules are its own, `drafts` and `site`; sign-in, mail and uploads are the shared ones.

mod drafts;
mod site;

use halobestie_auth::Auth;
use halobestie_core::Entry;
use halobestie_email::Email;
use halobestie_uploads::Uploads;

pub use drafts::Drafts;
pub use site::Site;

/// What the server is made of.
pub static MODULES: &[Entry] = &[
    Entry::of::<Auth>(),
    Entry::of::<Email>(),
    Entry::of::<Uploads>(),
    Entry::of::<Drafts>(),
    Entry::of::<Site>(),
];
