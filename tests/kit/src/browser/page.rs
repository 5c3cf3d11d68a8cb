//! A page, as a person uses it: elements are named by CSS selectors, and everything is waited for.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::Browser;
use super::wire::Wire;

/// How long anything may take to be seen: a page on a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const PACE: Duration = Duration::from_millis(30);

/// Where an element can be clicked, or why it cannot.
const PLACE: &str = "(async selector => {
    const it = document.querySelector(selector);
    if (!it) return 'it is not there';
    if (!it.checkVisibility()) return 'it is hidden';
    if (it.disabled) return 'it is disabled';
    it.scrollIntoView({ block: 'center', behavior: 'instant' });
    const before = it.getBoundingClientRect();
    await new Promise(done => setTimeout(done, 40));
    const box = it.getBoundingClientRect();
    if (box.x !== before.x || box.y !== before.y) return 'it moves';
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const top = document.elementFromPoint(x, y);
    if (!it.contains(top)) return 'something else lies over it';
    return { x, y };
})";

/// The text of an element that can be seen.
const TEXT: &str = "(selector => {
    const it = document.querySelector(selector);
    return it && it.checkVisibility() ? it.innerText ?? '' : null;
})";

/// What can be read, what stands in fields, and which element has the keyboard.
const STATE: &str = "[document.body.innerText, 'fields:',
    ...Array.from(document.querySelectorAll('input, textarea'), it => it.value),
    'focus: ' + document.activeElement?.outerHTML.slice(0, 200)].join('\\n')";

/// A tab with a page.
pub struct Page {
    wire: Mutex<Wire>,
    // Keeps the browser alive.
    _browser: Browser,
}

impl Page {
    pub(super) async fn new(wire: Wire, browser: Browser) -> Self {
        let page = Self {
            wire: Mutex::new(wire),
            _browser: browser,
        };
        for domain in ["Page", "Runtime", "Log"] {
            page.ask(&format!("{domain}.enable"), json!({})).await;
        }
        page
    }

    /// Goes to an address and waits until everything is loaded.
    pub async fn go(&self, url: &str) {
        let went = self.ask("Page.navigate", json!({ "url": url })).await;
        assert!(went["errorText"].is_null(), "{url}: {went}");
        self.until("document.readyState === 'complete'").await;
    }

    /// Loads the page again and waits until everything is loaded.
    pub async fn reload(&self) {
        self.eval("window.isLeftBehind = true").await;
        self.ask("Page.reload", json!({})).await;
        self.until("!window.isLeftBehind && document.readyState === 'complete'")
            .await;
    }

    /// What a script comes to; promises are waited for.
    pub async fn eval(&self, script: &str) -> Value {
        match self.try_eval(script).await {
            Ok(value) => value,
            Err(error) => panic!("{script}: {error}"),
        }
    }

    /// Waits until a script comes to something true.
    pub async fn until(&self, script: &str) {
        let look = async || {
            // While a page is left for another, there is nothing to ask.
            match self.try_eval(&format!("!!({script})")).await? {
                Value::Bool(true) => Ok(()),
                _ => Err("it is not true".into()),
            }
        };
        self.wait(script, look).await;
    }

    /// Waits until the first such element can be seen and has this text in it.
    pub async fn shows(&self, selector: &str, text: &str) {
        let look = async || match self.text(selector).await {
            Some(shown) if shown.contains(text) => Ok(()),
            shown => Err(format!("it shows {shown:?}")),
        };
        self.wait(&format!("{selector} shows {text:?}"), look).await;
    }

    /// The text of the first such element, if it can be seen.
    pub async fn text(&self, selector: &str) -> Option<String> {
        let text = self.eval(&format!("{TEXT}({})", json!(selector))).await;
        text.as_str().map(ToOwned::to_owned)
    }

    /// How many such elements there are.
    pub async fn count(&self, selector: &str) -> u64 {
        let script = format!("document.querySelectorAll({}).length", json!(selector));
        self.eval(&script).await.as_u64().unwrap_or_default()
    }

    /// Clicks in the middle of an element, once it can be reached.
    pub async fn click(&self, selector: &str) {
        let look = async || {
            let place = self.eval(&format!("{PLACE}({})", json!(selector))).await;
            match (place["x"].as_f64(), place["y"].as_f64()) {
                (Some(x), Some(y)) => Ok((x, y)),
                _ => Err(place.to_string()),
            }
        };
        let (x, y) = self.wait(&format!("a click on {selector}"), look).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.ask("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Writes into a field, in place of what stands there.
    pub async fn write(&self, selector: &str, text: &str) {
        self.click(selector).await;
        self.eval(&format!("{}.select()", element(selector))).await;
        self.ask("Input.insertText", json!({ "text": text })).await;
    }

    /// Moves the keyboard's focus to an element, once that can have it.
    pub async fn focus(&self, selector: &str) {
        let script = format!(
            "(it => {{ it?.focus(); return it && document.activeElement === it }})({})",
            element(selector)
        );
        self.until(&script).await;
    }

    /// Waits until an element has the keyboard's focus.
    pub async fn has_focus(&self, selector: &str) {
        let script = format!("document.activeElement === {}", element(selector));
        self.until(&script).await;
    }

    /// Presses a key: `Enter`, `Tab`, `Escape`, or one that writes its own name.
    pub async fn press(&self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            " " => (32, " "),
            other => (0, other),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.ask("Input.dispatchKeyEvent", event).await;
        }
    }

    /// What has gone wrong in the page since it was asked last: scripts that threw, errors that were
    /// logged, parts that its policy refused. Refused requests are not among them: tests make them.
    pub async fn trouble(&self) -> Vec<String> {
        // Whatever has happened by now is told before this answer.
        self.eval("0").await;
        let events = self.wire.lock().await.take_events();
        events.iter().filter_map(trouble_in).collect()
    }

    /// Gives a command of the DevTools protocol; panics when it is refused.
    pub async fn ask(&self, method: &str, params: Value) -> Value {
        match self.wire.lock().await.ask(method, params).await {
            Ok(result) => result,
            Err(error) => panic!("{method}: {error}"),
        }
    }

    async fn try_eval(&self, script: &str) -> Result<Value, String> {
        let params = json!({
            "expression": script,
            "awaitPromise": true,
            "returnByValue": true,
            "userGesture": true,
        });
        let answer = self.wire.lock().await.ask("Runtime.evaluate", params).await;
        let mut answer = answer?;
        match answer.get("exceptionDetails") {
            Some(thrown) => Err(thrown.to_string()),
            None => Ok(answer["result"]["value"].take()),
        }
    }

    async fn wait<T>(&self, what: &str, look: impl AsyncFn() -> Result<T, String>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reason = match look().await {
                Ok(found) => return found,
                Err(reason) => reason,
            };
            if Instant::now() > deadline {
                panic!(
                    "not within {PATIENCE:?}: {what}: {reason}\n{}",
                    self.state().await
                );
            }
            sleep(PACE).await;
        }
    }

    /// Everything that can be seen, for a test that fails.
    async fn state(&self) -> String {
        let mut state = String::from("the page shows:\n");
        let text = self.try_eval(STATE).await;
        let text = text.unwrap_or_default();
        let _ = writeln!(state, "{}", text.as_str().unwrap_or_default());
        for trouble in self.trouble().await {
            let _ = writeln!(state, "trouble: {trouble}");
        }
        state
    }
}

/// The script that finds an element.
fn element(selector: &str) -> String {
    format!("document.querySelector({})", json!(selector))
}

fn trouble_in(event: &Value) -> Option<String> {
    let params = &event["params"];
    match event["method"].as_str()? {
        "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
        "Runtime.consoleAPICalled" if params["type"] == "error" => Some(params["args"].to_string()),
        "Log.entryAdded" if is_error(&params["entry"]) => Some(params["entry"].to_string()),
        _ => None,
    }
}

fn is_error(entry: &Value) -> bool {
    entry["level"] == "error" && entry["source"] != "network"
}
