//! The few calls of the HTTP API that a run needs.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

pub struct Api {
    http: reqwest::Client,
    base: String,
}

impl Api {
    pub fn new(url: &str) -> Self {
        Self { http: reqwest::Client::new(), base: format!("{url}/api/v1") }
    }

    async fn post(&self, path: &str, token: Option<&str>, body: Value) -> anyhow::Result<Value> {
        let mut request = self.http.post(format!("{}{path}", self.base)).json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.with_context(|| format!("POST {path}"))?;
        let status = answer.status();
        let body: Value = answer.json().await.with_context(|| format!("POST {path}: {status}"))?;
        ensure!(status.is_success(), "POST {path}: {status} {body}");
        Ok(body)
    }

    /// Makes an account and returns its token and person id.
    pub async fn register(&self, username: &str) -> anyhow::Result<(String, String)> {
        let email = format!("{username}@example.org");
        let body = json!({"username": username, "email": email, "password": "a long password"});
        let answer = self.post("/auth/register", None, body).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("a string");
        Ok((text(&answer["token"])?, text(&answer["user"]["id"])?))
    }

    pub async fn create_room(
        &self,
        token: &str,
        kind: &str,
        title: &str,
    ) -> anyhow::Result<String> {
        let room = self.post("/rooms", Some(token), json!({"kind": kind, "title": title})).await?;
        room["id"].as_str().map(str::to_owned).context("a room's id")
    }

    pub async fn grant(&self, token: &str, room: &str, username: &str) -> anyhow::Result<()> {
        let body = json!({"username": username, "right": "edit"});
        self.post(&format!("/rooms/{room}/grants"), Some(token), body).await.map(drop)
    }
}
