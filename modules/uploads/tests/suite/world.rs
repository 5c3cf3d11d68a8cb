//! A server with a folder for uploads, files to upload, and two people who talk.

use std::fs;
use std::path::{Path, PathBuf};

use halobestie_auth::Auth;
use halobestie_auth::testing::{SignedIn, customer, mitra, signed_in};
use halobestie_availability::Mitras;
use halobestie_chat::Chat;
use halobestie_core::Entry;
use halobestie_core::app::Role;
use halobestie_testkit::{Plan, TestApp, TestResponse};
use halobestie_uploads::Uploads;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Uploads, and who sends them.
pub(crate) static ENTRIES: &[Entry] = &[
    Entry::of::<Auth>(),
    Entry::of::<Mitras>(),
    Entry::of::<Chat>(),
    Entry::of::<Uploads>(),
];

/// A server and its folder, which goes with it.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) root: TempDir,
}

/// A server over this folder that sweeps when it is told to, and whose tokens live for a day.
pub(crate) fn plan(root: &Path) -> Plan {
    TestApp::with(ENTRIES)
        .role(Role::Api)
        .env("AUTH_ACCESS_SECONDS", "86400")
        .env("UPLOAD_ROOT", root.to_str().unwrap())
}

/// The usual server.
pub(crate) async fn start() -> World {
    start_with(&[]).await
}

/// One with these variables.
pub(crate) async fn start_with(variables: &[(&str, &str)]) -> World {
    let root = tempfile::tempdir().unwrap();
    let set = |plan: Plan, (name, value): &(&str, &str)| plan.env(name, value);
    let app = variables.iter().fold(plan(root.path()), set).start().await;
    World { app, root }
}

impl World {
    /// Every file that is kept, and every one that is being written.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for folder in fs::read_dir(self.root.path()).unwrap() {
            let folder = folder.unwrap().path();
            if folder.is_dir() {
                files.extend(
                    fs::read_dir(folder)
                        .unwrap()
                        .map(|file| file.unwrap().path()),
                );
            }
        }
        files
    }

    /// Signs in again after a day.
    pub(crate) async fn back(&self, who: &SignedIn) -> SignedIn {
        let body = json!({"refresh_token": who.refresh_token});
        let call = self.app.post("/api/auth/refresh").json(&body);
        signed_in(&call.send().await.expect(200).json())
    }

    /// Uploads a file as a part of this name.
    pub(crate) async fn post(&self, by: &SignedIn, part: &str, file: &[u8]) -> TestResponse {
        self.post_form(by, &form(part, file)).await
    }

    /// Sends any form.
    pub(crate) async fn post_form(&self, by: &SignedIn, form: &[u8]) -> TestResponse {
        let call = self.app.post("/api/uploads").bearer(&by.access_token);
        call.body("multipart/form-data; boundary=--edge", form.to_vec())
            .send()
            .await
    }

    /// Uploads a file, which works.
    pub(crate) async fn upload(&self, by: &SignedIn, file: &[u8]) -> Value {
        self.post(by, "file", file).await.expect(201).json()
    }

    /// Reads an upload.
    pub(crate) async fn read(&self, by: &SignedIn, upload: &Value) -> TestResponse {
        let call = self.app.get(text(upload, "url"));
        call.bearer(&by.access_token).send().await
    }
}

/// A form with one file that says wrong things of itself.
pub(crate) fn form(part: &str, file: &[u8]) -> Vec<u8> {
    let head = format!(
        "----edge\r\nContent-Disposition: form-data; name=\"{part}\"; \
         filename=\"../../evil.html\"\r\nContent-Type: text/html\r\n\r\n"
    );
    [head.as_bytes(), file, b"\r\n----edge--\r\n"].concat()
}

/// The beginning of a PNG of this size, and some more bytes.
pub(crate) fn png(width: u32, height: u32, bytes: usize) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    file.extend(width.to_be_bytes());
    file.extend(height.to_be_bytes());
    file.extend([8, 2, 0, 0, 0]);
    file.resize(bytes.max(file.len()), 7);
    file
}

/// A recording of so many bytes, each another than its neighbours.
pub(crate) fn mp3(bytes: usize) -> Vec<u8> {
    let mut file = b"ID3\x04\0\0\0\0\0\0\0\0".to_vec();
    file.extend((file.len()..bytes).map(|index| index.to_le_bytes()[0]));
    file
}

/// Two people in an active session.
pub(crate) struct Talk {
    pub(crate) customer: SignedIn,
    pub(crate) mitra: SignedIn,
    pub(crate) id: String,
}

/// Starts a session.
pub(crate) async fn talk(app: &TestApp) -> Talk {
    let (customer, mitra) = (customer(app).await, mitra(app).await);
    let post = async |path: String, by: &SignedIn, body: Value| {
        let call = app.post(&path).bearer(&by.access_token).json(&body);
        call.send().await.json()
    };
    post("/api/mitra/status/online".into(), &mitra, json!({})).await;
    let wish = json!({"package_id": "15m"});
    let request = post("/api/customer/chat/requests".into(), &customer, wish).await;
    let accept = format!("/api/mitra/chat/offers/{}/accept", text(&request, "id"));
    let session = post(accept, &mitra, json!({})).await;
    let id = text(&session, "id").to_owned();
    Talk {
        customer,
        mitra,
        id,
    }
}

impl Talk {
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/chat/sessions/{}{rest}", self.id)
    }

    /// Sends an upload.
    pub(crate) async fn send(
        &self,
        app: &TestApp,
        from: &SignedIn,
        kind: &str,
        upload: &Value,
    ) -> TestResponse {
        let message = json!({"client_message_id": upload["id"], "kind": kind,
            "attachment_id": upload["id"]});
        let call = app.post(&self.path("/messages")).bearer(&from.access_token);
        call.json(&message).send().await
    }
}

/// A member that is text.
#[track_caller]
pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    let text = value[member].as_str();
    text.unwrap_or_else(|| panic!("{member} is no text in {value}"))
}
