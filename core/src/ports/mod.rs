//! The small traits at which modules meet. Core owns them and knows no implementation.
//!
//! A module that provides a capability sets its port in `build`; one that needs it reads it there.
//! `NEEDS` and `PROVIDES` say so as constants, and assembly checks that they do not lie. A fact that
//! an earlier module wants from a later one travels through a [`Late`] handle, filled by assembly's
//! end; an empty one means that nobody provides it.

mod admins;
mod availability;
mod books;
mod chat_news;
mod codes;
mod device;
mod erasures;
mod notifier;
mod payments;
mod people;
mod sessions;
mod sign_in;
mod sold_time;

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

pub use self::admins::*;
pub use self::availability::*;
pub use self::books::*;
pub use self::chat_news::*;
pub use self::codes::*;
pub use self::device::*;
pub use self::erasures::*;
pub use self::notifier::*;
pub use self::payments::*;
pub use self::people::*;
pub use self::sessions::*;
pub use self::sign_in::*;
pub use self::sold_time::*;

/// What a module can promise to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// [`Authenticator`]
    Authenticator,
    /// [`Directory`]
    Directory,
    /// [`Availability`]
    Availability,
    /// [`SessionLoad`]
    SessionLoad,
    /// [`Payments`]
    Payments,
    /// [`Purchases`]
    Purchases,
    /// [`CodeCarrier`]
    CodeCarrier,
    /// [`SignIn`]
    SignIn,
    /// [`AdminAccounts`]
    AdminAccounts,
    /// [`SessionControl`]
    SessionControl,
    /// [`ChatNews`]
    ChatNews,
    /// [`Notifier`]
    Notifier,
    /// [`SignInSessions`]
    SignInSessions,
    /// [`SoldTime`]
    SoldTime,
    /// [`Books`]
    Books,
}

impl fmt::Display for Capability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Authenticator => "authenticator",
            Self::Directory => "directory",
            Self::Availability => "availability",
            Self::SessionLoad => "session_load",
            Self::Payments => "payments",
            Self::Purchases => "purchases",
            Self::SignIn => "sign_in",
            Self::AdminAccounts => "admin_accounts",
            Self::CodeCarrier => "code_carrier",
            Self::SessionControl => "session_control",
            Self::ChatNews => "chat_news",
            Self::Notifier => "notifier",
            Self::SignInSessions => "sign_in_sessions",
            Self::SoldTime => "sold_time",
            Self::Books => "books",
        })
    }
}

/// A handle that is empty while modules are built and filled before anything runs.
pub struct Late<T: ?Sized>(Arc<OnceLock<Arc<T>>>);

impl<T: ?Sized> Late<T> {
    /// The port, or `None` where no enabled module provides it.
    pub fn get(&self) -> Option<&Arc<T>> {
        self.0.get()
    }

    /// Fills the handle; the first filling stays.
    pub fn fill(&self, port: Arc<T>) {
        // A second provider is refused by assembly; nothing to do about it here.
        let _ = self.0.set(port);
    }
}

impl<T: ?Sized> Clone for Late<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Default for Late<T> {
    fn default() -> Self {
        Self(Arc::new(OnceLock::new()))
    }
}

/// Every contract between modules, each provided at most once.
#[derive(Clone, Default)]
pub struct Ports {
    /// Who calls.
    pub authenticator: Late<dyn Authenticator>,
    /// Names of people.
    pub directory: Late<dyn Directory>,
    /// Who is available.
    pub availability: Late<dyn Availability>,
    /// How busy mitras are.
    pub session_load: Late<dyn SessionLoad>,
    /// Who charges.
    pub payments: Late<dyn Payments>,
    /// Who delivers what was paid.
    pub purchases: Late<dyn Purchases>,
    /// Who opens sessions.
    pub sign_in: Late<dyn SignIn>,
    /// Who keeps the accounts of admins.
    pub admin_accounts: Late<dyn AdminAccounts>,
    /// What else goes when an account is closed; not a capability, since anybody may add to it.
    pub erasures: Erasures,
    /// Who brings one-time codes to phones.
    pub code_carrier: Late<dyn CodeCarrier>,
    /// Who ends sessions by order of an admin.
    pub session_control: Late<dyn SessionControl>,
    /// Who answers for chats.
    pub chat_news: Late<dyn ChatNews>,
    /// Who tells people whose app sleeps.
    pub notifier: Late<dyn Notifier>,
    /// Who knows which devices are signed in.
    pub sign_in_sessions: Late<dyn SignInSessions>,
    /// Who knows what became of the time that was sold.
    pub sold_time: Late<dyn SoldTime>,
    /// Who keeps the books of the money.
    pub books: Late<dyn Books>,
}

impl Ports {
    /// Whether an enabled module has set this port.
    pub fn has(&self, capability: Capability) -> bool {
        match capability {
            Capability::Authenticator => self.authenticator.get().is_some(),
            Capability::Directory => self.directory.get().is_some(),
            Capability::Availability => self.availability.get().is_some(),
            Capability::SessionLoad => self.session_load.get().is_some(),
            Capability::Payments => self.payments.get().is_some(),
            Capability::Purchases => self.purchases.get().is_some(),
            Capability::SignIn => self.sign_in.get().is_some(),
            Capability::AdminAccounts => self.admin_accounts.get().is_some(),
            Capability::CodeCarrier => self.code_carrier.get().is_some(),
            Capability::SessionControl => self.session_control.get().is_some(),
            Capability::ChatNews => self.chat_news.get().is_some(),
            Capability::Notifier => self.notifier.get().is_some(),
            Capability::SignInSessions => self.sign_in_sessions.get().is_some(),
            Capability::SoldTime => self.sold_time.get().is_some(),
            Capability::Books => self.books.get().is_some(),
        }
    }
}
