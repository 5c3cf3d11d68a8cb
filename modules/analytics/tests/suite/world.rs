//! A server that counts, and an Aptabase that does as it is told.

use std::time::Duration;

use halobestie_analytics::Analytics;
use halobestie_core::Entry;
use halobestie_core::ports::AnalyticsEvent;
use halobestie_sandbox::Aptabase;
use halobestie_testkit::{Plan, TestApp, eventually};

/// What the servers of this suite are made of.
pub(crate) static ENTRIES: &[Entry] = &[Entry::of::<Analytics>()];

/// As long as an event waits for others.
pub(crate) const GATHER: Duration = Duration::from_secs(5);

/// A server and its Aptabase.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) aptabase: Aptabase,
}

impl World {
    pub(crate) async fn start() -> Self {
        let plan = TestApp::with(ENTRIES).no_valkey();
        // The plan's clock is known to nobody before the server runs.
        let clock = halobestie_core::clock::Clock::manual(
            halobestie_core::Timestamp::from_unix_ms(1_768_464_000_000),
        );
        let aptabase = Aptabase::start(clock.clone()).await;
        let app = pointed_at(plan.clock(clock), &aptabase).start().await;
        Self { app, aptabase }
    }

    /// Tells of so many events.
    pub(crate) fn tell(&self, events: usize) {
        let analytics = self.app.context().ports.analytics.get().unwrap();
        for number in 0..events {
            analytics.tell(AnalyticsEvent::new("tested").number("number", number as f64));
        }
    }

    /// Lets time pass, a second a look, until so many events have come.
    pub(crate) async fn come(&self, events: usize) {
        eventually("the events come", || async {
            self.app.clock.advance(Duration::from_secs(1));
            let calls = self.aptabase.calls();
            self.aptabase.events().len() >= events && calls.iter().all(|it| it.status.is_some())
        })
        .await;
        assert_eq!(self.aptabase.events().len(), events);
        assert_eq!(self.aptabase.dropped(), [""; 0]);
    }

    /// The numbers of the events that came, in their order.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        let events = self.aptabase.events().into_iter();
        let number = |body: serde_json::Value| body["props"]["number"].as_f64().unwrap() as u64;
        events.map(|event| number(event.body)).collect()
    }

    /// How many events had this outcome.
    pub(crate) async fn outcome(&self, outcome: &str) -> u64 {
        let page = self.app.internal_get("/metrics").send().await.text();
        let name = format!("halobestie_analytics_events_total{{outcome=\"{outcome}\"}}");
        let value = page.lines().find_map(|line| line.strip_prefix(&name));
        value.map_or(0, |value| value.trim().parse().unwrap())
    }
}

/// The plan with the variables that point at an Aptabase.
pub(crate) fn pointed_at(plan: Plan, aptabase: &Aptabase) -> Plan {
    let variables = aptabase.variables().into_iter();
    variables.fold(plan, |plan, (name, value)| plan.env(name, &value))
}
