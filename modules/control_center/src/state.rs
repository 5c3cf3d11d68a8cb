//! What handlers share.

use std::sync::Arc;

use halobestie_core::about::About;
use halobestie_core::bus::Bus;
use halobestie_core::clock::Clock;
use halobestie_core::config::ServerConfig;
use halobestie_core::entropy::Entropy;
use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::pg::Db;
use halobestie_core::ports::{
    Accounts, AdminAccounts, AdminSessions, Availability, Directory, Late, PaymentsOversight,
    SessionControl, SessionsOversight,
};
use halobestie_core::readiness::Readiness;
use halobestie_core::settings::Settings;
use halobestie_core::sweep::Runner;
use halobestie_core::{BoxError, Context, Problem};

use crate::backlog::Backlog;
use crate::error::OFF;
use crate::figures::Figures;
use crate::live::Audience;

/// Handles and ports. Those that end in `Late` belong to modules that may be off.
pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) settings: Settings,
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) about: Arc<About>,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) admin_accounts: Arc<dyn AdminAccounts>,
    pub(crate) admin_sessions: Arc<dyn AdminSessions>,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) figures: Figures,
    pub(crate) backlog: Backlog,
    pub(crate) audience: Audience,
    availability: Late<dyn Availability>,
    sessions: Late<dyn SessionsOversight>,
    session_control: Late<dyn SessionControl>,
    payments: Late<dyn PaymentsOversight>,
    runner: Late<Runner>,
    readiness: Late<Readiness>,
}

impl State {
    /// Wires it.
    ///
    /// # Errors
    /// When a port is missing, which assembly rules out.
    pub(crate) fn new(cx: &Context) -> Result<Self, BoxError> {
        let ports = &cx.ports;
        Ok(Self {
            db: cx.db.clone(),
            bus: cx.bus.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            lifecycle: cx.lifecycle.clone(),
            settings: cx.settings.clone(),
            server: cx.server.clone(),
            about: cx.about.clone(),
            accounts: needed(&ports.accounts)?,
            admin_accounts: needed(&ports.admin_accounts)?,
            admin_sessions: needed(&ports.admin_sessions)?,
            directory: needed(&ports.directory)?,
            figures: Figures::new(cx),
            backlog: Backlog::new(cx),
            audience: Audience::default(),
            availability: ports.availability.clone(),
            sessions: ports.sessions_oversight.clone(),
            session_control: ports.session_control.clone(),
            payments: ports.payments_oversight.clone(),
            runner: cx.runner.clone(),
            readiness: cx.readiness.clone(),
        })
    }

    /// Who knows how mitras stand, where anybody does.
    pub(crate) fn availability(&self) -> Option<&dyn Availability> {
        self.availability.get().map(|port| &**port)
    }

    /// Who sees sessions.
    ///
    /// # Errors
    /// `module_off`
    pub(crate) fn sessions(&self) -> Result<&dyn SessionsOversight, Problem> {
        of(&self.sessions, "chat")
    }

    /// Who moves sessions on.
    ///
    /// # Errors
    /// `module_off`
    pub(crate) fn session_control(&self) -> Result<&dyn SessionControl, Problem> {
        of(&self.session_control, "chat")
    }

    /// Who sees payments.
    ///
    /// # Errors
    /// `module_off`
    pub(crate) fn payments(&self) -> Result<&dyn PaymentsOversight, Problem> {
        of(&self.payments, "payments")
    }

    /// Every sweep of the server.
    ///
    /// # Errors
    /// Before the listeners are bound, when nobody can ask.
    pub(crate) fn runner(&self) -> Result<&Arc<Runner>, Problem> {
        self.runner
            .get()
            .ok_or_else(|| Problem::internal("asked for the sweeps before the start"))
    }

    /// The state of everything.
    ///
    /// # Errors
    /// Before the listeners are bound, when nobody can ask.
    pub(crate) fn readiness(&self) -> Result<&Arc<Readiness>, Problem> {
        self.readiness
            .get()
            .ok_or_else(|| Problem::internal("asked for readiness before the start"))
    }
}

fn needed<T: ?Sized>(port: &Late<T>) -> Result<Arc<T>, BoxError> {
    port.get()
        .cloned()
        .ok_or_else(|| "a needed port is missing".into())
}

fn of<'a, T: ?Sized>(port: &'a Late<T>, what: &str) -> Result<&'a T, Problem> {
    let off = || Problem::new(&OFF).detail(format!("This server runs without {what}."));
    port.get().map(|port| &**port).ok_or_else(off)
}
