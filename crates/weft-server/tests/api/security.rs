//! The security table: every call that the document describes, as everybody who may come.
//!
//! What must come of a call follows from what the document says of it (`x-weft-access`) and from who comes; nothing is
//! expected cell by cell. A call without a row in `rows` fails the test. What one may not see is compared, byte for
//! byte, with what does not exist. Messages on sockets have a table of their own (`doors`).

mod doors;
mod rows;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    document::{self, Operation, document, operations},
    provider::oidc_at,
    support::{Answer, Caller, MINUTE, PASSWORD, Server},
};
use rows::Row;

/// Names of rooms, spaces and folders that are not there.
const NOWHERE: &str = "00000000000000000000000001";

/// Who comes, with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Without any credential.
    Nobody,
    /// With a personal access token that has expired.
    Expired,
    /// With a sign-in that has been ended.
    Revoked,
    /// Signed in, and never had anything to do with the space.
    Stranger,
    /// Was an editor of the space.
    ExMember,
    /// Is asked to join the space.
    Invited,
    Viewer,
    Commenter,
    Editor,
    Manager,
    Owner,
    /// Of the workspace, and no member of the space.
    Administrator,
    /// The owner's browser, sent by another site's page.
    Forged,
    /// The owner's personal access token with all scopes but those that suffice.
    ScopeMissing,
    /// The owner's personal access token with the one scope.
    ScopeAlone,
    /// For the room, to edit, minted by the owner.
    RoomToken,
    /// The same for another room.
    OtherRoomToken,
}

impl Who {
    const ALL: [Self; 17] = [
        Self::Nobody,
        Self::Expired,
        Self::Revoked,
        Self::Stranger,
        Self::ExMember,
        Self::Invited,
        Self::Viewer,
        Self::Commenter,
        Self::Editor,
        Self::Manager,
        Self::Owner,
        Self::Administrator,
        Self::Forged,
        Self::ScopeMissing,
        Self::ScopeAlone,
        Self::RoomToken,
        Self::OtherRoomToken,
    ];

    /// What they may do in the space; 0: not even know that it is there.
    const fn rank(self) -> usize {
        match self {
            Self::Viewer => rank("read"),
            Self::Commenter => rank("comment"),
            Self::Editor | Self::RoomToken => rank("edit"),
            Self::Manager => rank("manage"),
            Self::Owner | Self::Forged | Self::ScopeMissing | Self::ScopeAlone => rank("own"),
            _ => 0,
        }
    }
}

const fn rank(right: &str) -> usize {
    match right.as_bytes() {
        b"read" => 1,
        b"comment" => 2,
        b"edit" => 3,
        b"manage" => 4,
        _ => 5,
    }
}

/// What must come of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    LetIn,
    /// As if it were not there.
    Absent,
    Refused(u16, &'static str),
}

/// What the document says that comes of a call by this one.
fn verdict(operation: &Operation<'_>, who: Who) -> Verdict {
    use Verdict::{Absent, LetIn, Refused};
    let credential = operation.access("credential").unwrap();
    let right = operation.access("right");
    let of_a_room = operation.path.contains("{room}");
    if who == Who::Forged && operation.tells("403", "bad_origin") {
        return Refused(403, "bad_origin");
    }
    match (credential, who) {
        ("none", _) => return LetIn,
        (_, Who::Nobody | Who::Expired | Who::Revoked) => return Refused(401, "not_signed_in"),
        ("any", Who::OtherRoomToken) => return Absent,
        ("any", Who::RoomToken) if of_a_room => {}
        (_, Who::RoomToken | Who::OtherRoomToken) => return Refused(401, "not_signed_in"),
        ("sign-in", Who::ScopeMissing | Who::ScopeAlone) => return Refused(403, "sign_in_needed"),
        (_, Who::ScopeMissing) => return Refused(403, "no_scope"),
        _ => {}
    }
    match right {
        None => LetIn,
        Some("admin") if who == Who::Administrator => LetIn,
        Some("admin") => Refused(403, "no_right"),
        Some("invited") if who == Who::Invited => LetIn,
        Some("invited") => Absent,
        Some(_) if who.rank() == 0 => Absent,
        Some(right) if who.rank() >= rank(right) => LetIn,
        Some(_) => Refused(403, "no_right"),
    }
}

/// The calls of y-sweet's servers, which are other spellings of calls in the document.
fn y_sweet() -> Value {
    let as_update = json!({"credential": "any", "scope": "read", "right": "read"});
    let update = json!({"credential": "any", "scope": "write", "right": "edit"});
    let auth = json!({"credential": "token", "scope": "room-tokens", "right": "read"});
    let make = json!({"credential": "token", "scope": "write"});
    let mut paths = json!({});
    for (method, path, access) in [
        ("post", "/doc/new", &make),
        ("post", "/doc/{room}/auth", &auth),
        ("get", "/doc/{room}/as-update", &as_update),
        ("get", "/d/{room}/as-update", &as_update),
        ("post", "/doc/{room}/update", &update),
        ("post", "/d/{room}/update", &update),
    ] {
        let code = json!({"properties": {"code": {"enum": ["bad_origin"]}}});
        let schema = json!({"allOf": [{}, {"properties": {"error": code}}]});
        let refusal = json!({"content": {"application/json": {"schema": schema}}});
        let responses = if method == "get" { json!({}) } else { json!({"403": refusal}) };
        paths[path][method] =
            json!({"operationId": "y_sweet", "x-weft-access": access, "responses": responses});
    }
    json!({"paths": paths})
}

/// Everybody, and what they come to.
struct World {
    server: Server,
    callers: Vec<(Who, Caller)>,
    space: String,
    made: usize,
}

impl World {
    async fn new() -> Self {
        let limits = Server::limits(|limits| {
            limits.access_tokens_per_person_max = 10_000;
            limits.code_attempts_per_hour = 10_000;
            limits.sign_in_attempts_per_minute = 10_000;
            limits.sign_in_attempts_per_address_per_minute = 10_000;
            limits.secret_attempts_per_minute = 10_000;
            limits.access_requests_per_hour = 10_000;
            limits.mentions_per_minute = 10_000;
        });
        let server = Server::with(|config| {
            limits(config);
            // Nobody is there: what its answers do is looked at elsewhere.
            config.oidc = Some(oidc_at("http://127.0.0.1:1"));
        })
        .await;
        let administrator = server.set_up().await.0;
        let owner = server.person("owner").await;
        for username in ["ann", "ben"] {
            server.person(username).await;
        }
        let space = id(&owner.post("/spaces", json!({"name": "Design"})).await.expect(201));
        let nobody = server.stranger();
        let browser = owner.headers["authorization"].to_str().unwrap().replace("Bearer ", "");
        let forged = nobody.clone().cookie(&browser).header("origin", "https://evil.example");
        let expired = owner.token(json!({"name": "x", "scopes": ["read", "write", "manage", "room-tokens"], "expires_in_seconds": 1})).await;
        server.clock.advance(MINUTE);
        let revoked = server.person("revoked").await;
        revoked.post("/auth/logout", json!({})).await.expect(204);
        let mut callers = vec![
            (Who::Nobody, nobody),
            (Who::Expired, expired),
            (Who::Revoked, revoked),
            (Who::Owner, owner.clone()),
            (Who::Administrator, administrator),
            (Who::Forged, forged),
        ];
        for (who, username, role) in [
            (Who::Stranger, "stranger", None),
            (Who::Invited, "invited", None),
            (Who::ExMember, "former", Some("editor")),
            (Who::Viewer, "viewer", Some("viewer")),
            (Who::Commenter, "commenter", Some("commenter")),
            (Who::Editor, "editor", Some("editor")),
            (Who::Manager, "manager", Some("admin")),
        ] {
            let person = server.person(username).await;
            if let Some(role) = role {
                join(&owner, &space, username, &person, role).await;
            }
            callers.push((who, person));
        }
        owner.delete(&format!("/spaces/{space}/members/former")).await.expect(204);
        Self { server, callers, space, made: 0 }
    }

    fn known(&self, who: Who) -> &Caller {
        &self.callers.iter().find(|(known, _)| *known == who).expect("somebody known").1
    }

    fn owner(&self) -> &Caller {
        self.known(Who::Owner)
    }

    /// Somebody who comes for that room, to a call that takes this scope.
    async fn caller(&self, who: Who, scope: Option<&str>, room: &str) -> Caller {
        let all = ["read", "write", "manage", "room-tokens"];
        let suffices =
            |has: &str| Some(has) == scope || scope == Some("read") && has != "room-tokens";
        let scopes: Vec<&str> = match who {
            Who::ScopeMissing => all.into_iter().filter(|has| !suffices(has)).collect(),
            Who::ScopeAlone => scope.map_or(all.to_vec(), |scope| vec![scope]),
            Who::RoomToken if !room.is_empty() => {
                return self.owner().room_token(room, "edit").await;
            }
            Who::RoomToken | Who::OtherRoomToken => {
                let other = self.owner().document("other").await;
                return self.owner().room_token(&other, "edit").await;
            }
            who => return self.known(who).clone(),
        };
        self.owner().token(json!({"name": "x", "scopes": scopes})).await
    }

    async fn document(&self) -> String {
        let form = json!({"kind": "doc", "title": "Plan", "space": self.space});
        id(&self.owner().post("/rooms", form).await.expect(201))
    }

    async fn folder(&self) -> String {
        let form = json!({"space": self.space, "name": "Plans"});
        id(&self.owner().post("/folders", form).await.expect(201))
    }

    fn fresh(&mut self, word: &str) -> String {
        self.made += 1;
        format!("{word}{}", self.made)
    }
}

/// Makes somebody a member.
pub async fn join(owner: &Caller, space: &str, username: &str, person: &Caller, role: &str) {
    let form = json!({"username": username, "role": role});
    owner.post(&format!("/spaces/{space}/members"), form).await.expect(201);
    let agree = json!({"agree": true});
    person.post(&format!("/spaces/{space}/answer"), agree).await.expect(200);
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

impl Caller {
    /// With a new personal access token of this one.
    async fn token(&self, form: Value) -> Self {
        let made = self.post("/tokens", form).await.expect(201);
        self.clone().bearer(made["token"].as_str().unwrap())
    }

    /// With a new room token of this one.
    async fn room_token(&self, room: &str, right: &str) -> Self {
        let made = self.post("/room-tokens", json!({"room": room, "right": right})).await;
        self.clone().bearer(made.expect(201)["token"].as_str().unwrap())
    }

    async fn make(&self, operation: &Operation<'_>, row: &Row) -> Answer {
        let mut path = operation
            .path
            .strip_prefix("/api/v1")
            .map_or_else(|| format!("/{}", operation.path), str::to_owned);
        for (name, value) in &row.names {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        let method: Method = operation.method.to_uppercase().parse().unwrap();
        self.send(method, &path, row.body.clone()).await
    }
}

/// All of an answer that somebody could tell it from another by.
fn told(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    let mut headers: Vec<_> = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.text.clone())
}

/// Makes one call as one of them; whether the answer was compared with that for what is not there.
async fn cell(world: &mut World, operation: &Operation<'_>, who: Who) -> bool {
    let row = rows::row(world, operation, who).await;
    let room = row.room.clone().unwrap_or_default();
    let caller = match row.caller.clone() {
        Some(caller) => caller,
        None => world.caller(who, operation.access("scope"), &room).await,
    };
    let answer = caller.make(operation, &row).await;
    let verdict = verdict(operation, who);
    match (verdict, row.then) {
        (Verdict::LetIn, None) => assert!(answer.status < 400, "{answer:?}"),
        (Verdict::LetIn, Some(code)) => assert!(answer.text.contains(code), "{answer:?}"),
        (Verdict::Refused(status, code), _) => drop(answer.refused(status, code)),
        (Verdict::Absent, _) => {
            answer.refused(404, "not_found");
            let none = caller.make(operation, &row.nowhere(&world.space)).await;
            assert_eq!(told(&answer), told(&none), "as if it were not there");
        }
    }
    verdict == Verdict::Absent
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "how many cells were tried is cited")]
async fn every_call_by_everybody() {
    let mut world = World::new().await;
    let document = document(&world.server.stranger()).await;
    let others = y_sweet();
    let mut operations = operations(document);
    operations.extend(document::operations(&others));
    let (mut cells, mut compared, mut failed) = (0, 0, Vec::new());
    for operation in &operations {
        for who in Who::ALL {
            // Whatever is wrong is told of all cells.
            match AssertUnwindSafe(cell(&mut world, operation, who)).catch_unwind().await {
                Ok(was_compared) => compared += usize::from(was_compared),
                Err(_) => {
                    failed.push(format!("{} {} as {who:?}", operation.method, operation.path))
                }
            }
            cells += 1;
        }
    }
    assert!(failed.is_empty(), "{} of {cells} cells: {failed:#?}", failed.len());
    println!(
        "security table: {cells} cells ({} calls by {} callers), {compared} compared with what is not there",
        operations.len(),
        Who::ALL.len(),
    );
}
