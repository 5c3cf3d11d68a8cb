//! What axe-core finds wrong with a page for people who see, hear or move differently.
//!
//! The script is injected past the page's policy, as a browser's extension would be.

use std::fmt::Write as _;

use serde_json::Value;

use super::Page;

const AXE: &str = include_str!("../../vendor/axe-core/axe.min.js");

/// The rules of WCAG 2.2 up to AA, and what is good practice besides.
const RUN: &str = "axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    resultTypes: ['violations'],
})";

impl Page {
    /// Panics, with everything that was found, when a finding is serious or critical.
    pub async fn expect_accessible(&self) {
        self.eval(&format!("{AXE}; 0")).await;
        let mut found = self.eval(RUN).await;
        let found = found["violations"].take();
        let found = found.as_array().expect("axe lists what it finds");
        let serious = found
            .iter()
            .filter(|it| it["impact"] == "serious" || it["impact"] == "critical");
        assert!(serious.count() == 0, "{}", told(found));
    }
}

fn told(found: &[Value]) -> String {
    let mut told = String::new();
    for violation in found {
        let (id, impact, help) = (&violation["id"], &violation["impact"], &violation["help"]);
        let _ = writeln!(told, "{id} ({impact}): {help}");
        for node in violation["nodes"].as_array().into_iter().flatten() {
            let (html, summary) = (&node["html"], &node["failureSummary"]);
            let _ = writeln!(told, "  {}\n  {summary}", html.as_str().unwrap_or_default());
        }
    }
    told
}
