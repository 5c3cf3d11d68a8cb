//! The catalogue of error codes and close codes: the text of `docs/errors.md`.
//!
//! Generated, so that the page and the code cannot differ; a test compares the file with it.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::http::ws::close;
use crate::module::Entry;
use crate::problem::{ErrorCode, codes};

const HEAD: &str = "\
# Errors

Generated from the code; do not edit.

Every error is `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, `code`, \
`request_id`, and with `validation_failed` also `errors: [{field, message}]`. Programs decide by \
`code`, which never changes; `detail` is for people and may. Answers with 429 and 503 carry \
`Retry-After`. An unknown code should be treated like the plain status.

## Codes

| code | status | from | meaning | what a client should do |
|---|---|---|---|---|
";

const SOCKET_HEAD: &str = "
## Close codes of the WebSocket

| code | name | meaning | what a client should do |
|---|---|---|---|
";

/// The whole page, for core and these modules.
pub fn errors_markdown(entries: &[Entry]) -> String {
    let mut page = HEAD.to_owned();
    for ((name, status), (module, code)) in sorted(entries) {
        let (meaning, client) = (cell(code.meaning), cell(code.client));
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| `{name}` | {status} | {module} | {meaning} | {client} |"
        );
    }
    page += SOCKET_HEAD;
    let mut reasons = close::ALL.to_vec();
    reasons.sort_by_key(|why| why.code);
    for why in reasons {
        let (meaning, client) = (cell(why.meaning), cell(why.client));
        let _ = writeln!(
            page,
            "| {} | `{}` | {meaning} | {client} |",
            why.code, why.name
        );
    }
    page
}

/// By name; where a module gives out a code of core, it is core's.
fn sorted(entries: &[Entry]) -> BTreeMap<(&'static str, u16), (&'static str, &'static ErrorCode)> {
    let core = codes::ALL.iter().map(|code| ("core", *code));
    let of_modules = entries
        .iter()
        .flat_map(|entry| (entry.errors)().iter().map(|code| (entry.name, *code)));
    let mut sorted = BTreeMap::new();
    for (module, code) in core.chain(of_modules) {
        sorted
            .entry((code.name, code.status))
            .or_insert((module, code));
    }
    sorted
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_every_code_once() {
        let page = errors_markdown(&[]);
        for code in codes::ALL {
            let row = format!("\n| `{}` | {} | core |", code.name, code.status);
            assert_eq!(page.matches(&row).count(), 1, "{row}");
        }
        for why in close::ALL {
            assert_eq!(
                page.matches(&format!("\n| {} | `{}` |", why.code, why.name))
                    .count(),
                1
            );
        }
    }
}
