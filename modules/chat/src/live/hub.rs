//! The sockets of this process. It delivers nothing in the ordinary case, the bus does; it is how
//! catch-up and revocations find sockets.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use halobestie_core::ports::Role;
use prometheus::IntGauge;
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use super::envelope::Envelope;
use super::positions::Positions;

/// How many events found by catch-up may wait for a socket; the rest is found again later.
const MAILBOX: usize = 256;

/// A socket as the rest of the process sees it.
pub(crate) struct Local {
    /// Its id, told in `hello`.
    pub(crate) connection_id: Uuid,
    /// Whose it is.
    pub(crate) user_id: Uuid,
    /// What they are.
    pub(crate) role: Role,
    /// Turned when its sign-in session is revoked.
    pub(crate) revoked: Notify,
    auth_session_id: Mutex<Uuid>,
    lost: AtomicBool,
    /// Turned when somebody wants to know whether the other end lives.
    pub(crate) asked: Notify,
    proofs: Mutex<Vec<oneshot::Sender<()>>>,
    positions: Mutex<Positions>,
    // Not a channel, which would hold a block of memory for every socket: mail is rare.
    mailbox: Mutex<VecDeque<Envelope>>,
    mail_came: Notify,
}

impl Local {
    /// A socket that has just signed in.
    pub(crate) fn new(
        connection_id: Uuid,
        principal: &halobestie_core::ports::Principal,
        positions: Positions,
    ) -> Arc<Self> {
        Arc::new(Self {
            connection_id,
            user_id: principal.user_id,
            role: principal.role,
            revoked: Notify::new(),
            auth_session_id: Mutex::new(principal.session_id),
            lost: AtomicBool::new(false),
            asked: Notify::new(),
            proofs: Mutex::default(),
            positions: Mutex::new(positions),
            mailbox: Mutex::default(),
            mail_came: Notify::new(),
        })
    }

    /// Its positions; never held across an await.
    pub(crate) fn positions(&self) -> MutexGuard<'_, Positions> {
        lock(&self.positions)
    }

    /// The sign-in session that it lives by.
    pub(crate) fn auth_session_id(&self) -> Uuid {
        *lock(&self.auth_session_id)
    }

    /// Notes that a newer token has come.
    pub(crate) fn renew(&self, auth_session_id: Uuid) {
        *lock(&self.auth_session_id) = auth_session_id;
    }

    /// Whether its subscription has lost events since this was asked last.
    pub(crate) fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::Relaxed)
    }

    /// Asks whether the other end lives; answered by the next pong.
    pub(crate) fn prove(&self) -> oneshot::Receiver<()> {
        let (proof, proven) = oneshot::channel();
        lock(&self.proofs).push(proof);
        self.asked.notify_one();
        proven
    }

    /// The other end lives: it has what was sent to it before the ping.
    pub(crate) fn has_proven(&self) {
        for proof in std::mem::take(&mut *lock(&self.proofs)) {
            // Who has stopped waiting does not want to know.
            let _ = proof.send(());
        }
    }

    /// Leaves an event; false when the mailbox is full.
    pub(crate) fn leave(&self, envelope: Envelope) -> bool {
        {
            let mut mailbox = lock(&self.mailbox);
            if mailbox.len() >= MAILBOX {
                return false;
            }
            mailbox.push_back(envelope);
        }
        self.mail_came.notify_one();
        true
    }

    /// Takes an event that was left.
    pub(crate) fn take_mail(&self) -> Option<Envelope> {
        let mut mailbox = lock(&self.mailbox);
        let envelope = mailbox.pop_front();
        if mailbox.is_empty() {
            *mailbox = VecDeque::new();
        }
        envelope
    }

    /// Waits for an event to be left. Cancel-safe; the socket's own task alone calls it.
    pub(crate) async fn mail(&self) -> Envelope {
        loop {
            if let Some(envelope) = self.take_mail() {
                return envelope;
            }
            // A notice that came between the look and this is kept for it.
            self.mail_came.notified().await;
        }
    }
}

/// Sockets by their id, and whose they are.
#[derive(Default)]
struct Sockets {
    all: HashMap<Uuid, Arc<Local>>,
    of_users: HashMap<Uuid, Vec<Arc<Local>>>,
}

impl Sockets {
    fn add(&mut self, local: Arc<Local>) {
        let of_user = self.of_users.entry(local.user_id).or_default();
        of_user.push(local.clone());
        self.all.insert(local.connection_id, local);
    }

    fn remove(&mut self, connection_id: Uuid) {
        let Some(local) = self.all.remove(&connection_id) else {
            return;
        };
        if let Some(of_user) = self.of_users.get_mut(&local.user_id) {
            of_user.retain(|it| it.connection_id != connection_id);
            if of_user.is_empty() {
                self.of_users.remove(&local.user_id);
            }
        }
    }
}

/// All of them.
pub(crate) struct Hub {
    sockets: Mutex<Sockets>,
    /// Turned when a socket may have lost events: catch-up then looks at it at once.
    pub(crate) lost: Notify,
    gauge: IntGauge,
}

impl Hub {
    /// No sockets yet.
    pub(crate) fn new(gauge: IntGauge) -> Self {
        Self {
            sockets: Mutex::default(),
            lost: Notify::new(),
            gauge,
        }
    }

    /// Adds a socket until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>, local: Arc<Local>) -> Presence {
        let connection_id = local.connection_id;
        lock(&self.sockets).add(local);
        self.gauge.inc();
        Presence {
            hub: self.clone(),
            connection_id,
        }
    }

    /// Notes that a socket's subscription has lost events.
    pub(crate) fn has_lost(&self, local: &Local) {
        local.lost.store(true, Ordering::Relaxed);
        self.lost.notify_one();
    }

    /// The sockets of this moment.
    pub(crate) fn all(&self) -> Vec<Arc<Local>> {
        lock(&self.sockets).all.values().cloned().collect()
    }

    /// Those of one person.
    pub(crate) fn of(&self, user_id: Uuid) -> Vec<Arc<Local>> {
        let sockets = lock(&self.sockets);
        let of_user = sockets.of_users.get(&user_id);
        of_user.cloned().unwrap_or_default()
    }
}

/// A socket's place in the hub.
pub(crate) struct Presence {
    hub: Arc<Hub>,
    connection_id: Uuid,
}

impl Drop for Presence {
    fn drop(&mut self) {
        lock(&self.hub.sockets).remove(self.connection_id);
        self.hub.gauge.dec();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
