//! What handlers, sockets and timers share, and how any of them tells people something.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::bus::Bus;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::grouped::GROUPS;
use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::pg::{Db, DbError};
use halobestie_core::ports::{
    Attachments, Authenticator, Availability, CookieSessions, Directory, Late, Notifier, Payments,
    Role,
};
use halobestie_core::settings::Setting;
use halobestie_core::{BoxError, Context};
use uuid::Uuid;

use crate::config::ChatConfig;
use crate::considered::Considered;
use crate::limits::Limits;
use crate::live::envelope::Envelope;
use crate::live::events;
use crate::live::hub::Hub;
use crate::live::proof::Proofs;
use crate::live::welcomes::Welcomes;
use crate::metrics::ChatMetrics;
use crate::packages::{Package, Packages};
use crate::pairing::GoneReason;
use crate::scribe::{Scribe, Writer};
use crate::store::requests::RequestRow;
use crate::store::sessions::SessionRow;
use crate::turns::Turns;
use crate::views::Details;
use crate::waves::WaveSettings;

/// The shared state.
pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    /// Nobody where this server gives no cookies.
    pub(crate) cookie_sessions: Late<dyn CookieSessions>,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) availability: Arc<dyn Availability>,
    payments: Late<dyn Payments>,
    notifier: Late<dyn Notifier>,
    pub(crate) packages: Setting<Packages>,
    pub(crate) waves: WaveSettings,
    pub(crate) considered: Considered,
    pub(crate) pairing_timeout: Duration,
    /// How long a mitra may leave a customer's first message unanswered; `None` = for ever.
    pub(crate) first_response: Option<Duration>,
    pub(crate) reroute_timeout: Duration,
    pub(crate) limits: Limits,
    pub(crate) ping_every: Duration,
    pub(crate) socket_patience: Duration,
    pub(crate) hub: Arc<Hub>,
    pub(crate) proofs: Proofs,
    pub(crate) metrics: Arc<ChatMetrics>,
    pub(crate) scribe: Scribe,
    pub(crate) turns: Turns,
    pub(crate) welcomes: Welcomes,
    attachments: Late<dyn Attachments>,
}

/// The bus topic of a person.
pub(crate) fn topic(user_id: Uuid) -> String {
    format!("user:{user_id}")
}

impl State {
    /// Wires it.
    ///
    /// # Errors
    /// When a port is missing, which assembly rules out.
    pub(crate) fn new(config: &ChatConfig, cx: &Context) -> Result<Arc<Self>, BoxError> {
        let authenticator = port(&cx.ports.authenticator)?;
        let directory = port(&cx.ports.directory)?;
        let availability = port(&cx.ports.availability)?;
        let metrics = Arc::new(ChatMetrics::new(&cx.metrics));
        let packages = cx.settings.declare(
            "packages",
            "The price list: what customers can ask for.",
            Packages::default(),
        );
        Ok(Arc::new_cyclic(|state| Self {
            db: cx.db.clone(),
            bus: cx.bus.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            lifecycle: cx.lifecycle.clone(),
            authenticator,
            cookie_sessions: cx.ports.cookie_sessions.clone(),
            directory,
            availability,
            payments: cx.ports.payments.clone(),
            notifier: cx.ports.notifier.clone(),
            proofs: Proofs::new(cx.bus.clone(), cx.entropy.uuid(&cx.clock)),
            packages,
            waves: WaveSettings::declare(&cx.settings),
            considered: Considered::default(),
            pairing_timeout: Duration::from_secs(config.pairing_timeout_seconds),
            first_response: (config.first_response_seconds > 0)
                .then(|| Duration::from_secs(config.first_response_seconds)),
            reroute_timeout: Duration::from_secs(config.reroute_timeout_seconds),
            limits: Limits::new(config),
            ping_every: Duration::from_secs(config.ping_seconds),
            socket_patience: Duration::from_secs(config.socket_patience_seconds),
            hub: Arc::new(Hub::new(metrics.sockets.clone())),
            scribe: scribe(cx, &metrics),
            turns: Turns::default(),
            welcomes: Welcomes::start(&cx.lifecycle, &metrics, state),
            attachments: cx.ports.attachments.clone(),
            metrics,
        }))
    }

    /// Who keeps what people send to each other, where anybody does.
    pub(crate) fn attachments(&self) -> Option<&dyn Attachments> {
        self.attachments.get().map(|attachments| &**attachments)
    }

    /// Tells every socket of a person.
    pub(crate) fn tell(&self, user_id: Uuid, event: Option<&Envelope>) {
        if let Some(event) = event {
            self.bus.publish(&topic(user_id), event.to_bytes());
        }
    }

    /// Tells many people the same.
    pub(crate) fn tell_all(&self, user_ids: &[Uuid], event: Option<&Envelope>) {
        let Some(event) = event else { return };
        let bytes = event.to_bytes();
        for user_id in user_ids {
            self.bus.publish(&topic(*user_id), bytes.clone());
        }
    }

    /// Who tells people whose app sleeps, where anybody does.
    pub(crate) fn notifier(&self) -> Option<&dyn Notifier> {
        self.notifier.get().map(|notifier| &**notifier)
    }

    /// Who charges customers, where anybody does.
    pub(crate) fn payments(&self) -> Option<&dyn Payments> {
        self.payments.get().map(|payments| &**payments)
    }

    /// Who charges for this package: nobody for one that costs nothing.
    pub(crate) fn seller_of(&self, package: &Package) -> Option<&dyn Payments> {
        self.payments().filter(|_| package.amount > 0)
    }

    /// Tells both sides where their session is now.
    pub(crate) fn announce_session(&self, row: &SessionRow, details: &Details) {
        let now = self.clock.now();
        for (user_id, role) in [
            (row.customer_id, Role::Customer),
            (row.mitra_id, Role::Mitra),
        ] {
            self.tell(user_id, events::session(row, details, role, now).as_ref());
        }
    }

    /// Tells a customer where their request is now. A session's search for another mitra is not theirs:
    /// they hear of the session.
    pub(crate) fn announce_request(&self, row: RequestRow) {
        if row.reroute_of.is_some() {
            return;
        }
        let customer_id = row.customer_id;
        self.tell(customer_id, events::request(row).as_ref());
    }

    /// Tells mitras that an offer is gone.
    pub(crate) fn announce_gone(&self, request_id: Uuid, mitra_ids: &[Uuid], reason: GoneReason) {
        self.tell_all(mitra_ids, events::offer_gone(request_id, reason).as_ref());
    }

    /// What the views of these sessions need beyond their rows.
    pub(crate) async fn details_of(&self, rows: &[SessionRow]) -> Result<Details, DbError> {
        Details::of(&*self.directory, self.payments(), rows).await
    }
}

fn scribe(cx: &Context, metrics: &Arc<ChatMetrics>) -> Scribe {
    let writer = Writer {
        db: cx.db.clone(),
        bus: cx.bus.clone(),
        clock: cx.clock.clone(),
        metrics: metrics.clone(),
        notifier: cx.ports.notifier.clone(),
    };
    Scribe::start(&cx.lifecycle, GROUPS, writer)
}

fn port<T: ?Sized>(late: &Late<T>) -> Result<Arc<T>, BoxError> {
    late.get()
        .cloned()
        .ok_or_else(|| "a port that chat needs is not provided".into())
}
