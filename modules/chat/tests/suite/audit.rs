//! What must hold of every session in a database, found out by other means than the code's own: from the
//! audit's events, the payments, the extensions and the books, each compared with the others.

use halobestie_core::Timestamp;
use halobestie_core::pg::Row;
use halobestie_testkit::TestApp;
use serde_json::Value;
use uuid::Uuid;

/// Checks every session.
pub(crate) async fn check(app: &TestApp) {
    for row in app.database.rows(SESSIONS, &[]).await {
        let session = Session::read(&row);
        session.check_books();
        session.check_money();
        session.check_waiting();
        session.check_events(&app.database.rows(EVENTS, &[&session.id]).await);
    }
    let strays: i64 = app.database.row(STRAY_SEARCHES, &[]).await.get(0);
    assert_eq!(strays, 0, "a session that needs no mitra looks for one");
}

const SESSIONS: &str = "SELECT s.*,
    (SELECT coalesce(sum(ms), 0)::bigint FROM chat_time WHERE session_id = s.id
        AND kind = 'bought') AS bought,
    (SELECT coalesce(sum(ms), 0)::bigint FROM chat_time WHERE session_id = s.id
        AND kind = 'consumed') AS consumed,
    (SELECT coalesce(sum(ms), 0)::bigint FROM chat_time WHERE session_id = s.id
        AND kind = 'returned') AS returned,
    (SELECT coalesce(sum((package ->> 'minutes')::bigint), 0)::bigint FROM chat_extensions
        WHERE session_id = s.id AND status = 'applied') AS extended_minutes,
    (SELECT status FROM chat_extensions WHERE id = s.unpaid_extension_id) AS unpaid_status,
    (SELECT count(*) FROM chat_extensions WHERE session_id = s.id
        AND status = 'pending_payment') AS unpaid_extensions,
    (SELECT status FROM till_payments WHERE subject_id = s.id) AS payment,
    (SELECT count(*) FROM till_payments p LEFT JOIN chat_extensions x ON x.id = p.subject_id
        WHERE p.session_id = s.id AND p.purpose = 'extension'
        AND (p.status = 'paid') <> (x.status = 'applied')) AS wrong_extensions,
    (SELECT count(*) FROM till_payments p WHERE p.session_id = s.id AND s.status = 'ended'
        AND p.status IN ('creating', 'pending')) AS payable_after_the_end,
    (SELECT bought FROM till_credits WHERE session_id = s.id) AS credit_bought,
    (SELECT undelivered FROM till_credits WHERE session_id = s.id) AS credit_undelivered
    FROM chat_sessions s";

const EVENTS: &str = "SELECT event, at FROM chat_events WHERE session_id = $1 ORDER BY id";

const STRAY_SEARCHES: &str = "SELECT count(*) FROM chat_requests r
    LEFT JOIN chat_sessions s ON s.id = r.reroute_of
    WHERE r.status = 'searching' AND r.reroute_of IS NOT NULL
      AND s.status IS DISTINCT FROM 'rerouting'";

/// How an event ends a session.
const ENDS: [&str; 4] = [
    "session_ended",
    "session_expired",
    "session_payment_expired",
    "session_reroute_failed",
];

struct Session<'a> {
    id: Uuid,
    status: &'a str,
    end_reason: Option<&'a str>,
    row: &'a Row,
}

impl<'a> Session<'a> {
    fn read(row: &'a Row) -> Self {
        Self {
            id: row.get("id"),
            status: row.get("status"),
            end_reason: row.get("end_reason"),
            row,
        }
    }

    fn ms(&self, column: &str) -> i64 {
        self.row.get(column)
    }

    fn at(&self, column: &str) -> Option<Timestamp> {
        self.row.get(column)
    }

    /// What the session itself says is left.
    fn left(&self) -> i64 {
        match self.status {
            "active" => {
                self.at("expires_at").unwrap().unix_ms() - self.at("clock_since").unwrap().unix_ms()
            }
            "rerouting" => self.ms("paused_ms"),
            _ => 0,
        }
    }

    fn check_books(&self) {
        let (bought, consumed, returned) =
            (self.ms("bought"), self.ms("consumed"), self.ms("returned"));
        assert_eq!(
            bought,
            consumed + returned + self.left(),
            "the books of a session that is {} {:?}",
            self.status,
            self.end_reason
        );
        let package: Value = self.row.get("package");
        let minutes = match self.at("started_at") {
            Some(_) => package["minutes"].as_i64().unwrap() + self.ms("extended_minutes"),
            None => 0,
        };
        assert_eq!(bought, minutes * 60_000, "what was bought");
        let may_be_returned = matches!(
            self.end_reason,
            Some("mitra_ended" | "reroute_failed" | "admin_ended")
        );
        assert!(returned == 0 || may_be_returned, "{:?}", self.end_reason);
    }

    fn check_money(&self) {
        let payment: Option<&str> = self.row.get("payment");
        let is_paid = payment == Some("paid");
        assert_eq!(is_paid, self.at("started_at").is_some(), "paid is started");
        assert_eq!(self.ms("wrong_extensions"), 0, "paid is applied");
        assert_eq!(self.ms("payable_after_the_end"), 0, "over is not payable");
        let credit: Option<(i64, i64)> = Option::zip(
            self.row.get("credit_undelivered"),
            self.row.get("credit_bought"),
        );
        let returned = self.ms("returned");
        let expected = (returned > 0).then(|| ((returned + 999) / 1000, self.ms("bought") / 1000));
        assert_eq!(credit, expected, "returned is credited, once");
    }

    fn check_waiting(&self) {
        let waits = matches!(self.status, "pending_payment" | "rerouting");
        assert_eq!(self.at("waits_until").is_some(), waits, "{}", self.status);
        let unpaid: Option<&str> = self.row.get("unpaid_status");
        let pending = self.ms("unpaid_extensions");
        assert_eq!(pending, i64::from(unpaid.is_some()), "one that waits");
        assert!(matches!(unpaid, None | Some("pending_payment")));
        assert!(unpaid.is_none() || matches!(self.status, "active" | "rerouting"));
    }

    /// Time that was delivered is the time between the events between which the clock ran.
    fn check_events(&self, events: &[Row]) {
        let (mut ran, mut since, mut ends) = (0, None::<Timestamp>, 0);
        for event in events {
            let (name, mut at): (&str, Timestamp) = (event.get(0), event.get(1));
            if ENDS.contains(&name) {
                ends += 1;
                at = self.at("ended_at").unwrap();
            }
            let starts = matches!(name, "session_paid" | "session_taken");
            let stops = name == "session_rerouted" || ENDS.contains(&name);
            match since {
                None if starts => since = Some(at),
                Some(from) if stops => {
                    ran += at.unix_ms() - from.unix_ms();
                    since = None;
                }
                Some(_) if starts => panic!("{name}, and the clock ran already"),
                _ => {}
            }
        }
        assert_eq!(ends, i64::from(self.status == "ended"), "ends once");
        assert_eq!(since.is_some(), self.status == "active", "{}", self.status);
        let given_up = match self.end_reason {
            Some("customer_ended") => self.ms("consumed") - ran,
            _ => 0,
        };
        assert!(given_up >= 0, "{given_up} ms were given up");
        assert_eq!(self.ms("consumed"), ran + given_up, "what was delivered");
    }
}
