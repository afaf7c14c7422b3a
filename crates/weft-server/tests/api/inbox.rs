//! Inboxes: what people are told, who can open one, and what becomes of it when the power fails.

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};
use weft_core::{PersonId, kind::inbox};
use weft_proto::{inbox::write_op, inbox_wire as wire, wire::server_frame::Body as In};
use weft_store::{Meta, NewDelivery};

use crate::{
    support::{Caller, DAY, MINUTE, NOW, Server},
    wire::Socket,
    yjs::Client,
};

/// A socket in its person's inbox, and what is in there.
pub struct Watched {
    socket: Socket,
    room: Bytes,
    sent: u64,
    inbox: Box<dyn weft_core::machine::Machine>,
}

impl Watched {
    pub async fn open(caller: &Caller) -> Self {
        let mut socket = caller.socket().await;
        socket.ask_for(&inbox_id(caller).await).await;
        // What is being stored at that moment may be told first.
        let attached = loop {
            if let In::Attached(attached) = socket.hear().await {
                break attached;
            }
        };
        assert_eq!(attached.kind, "inbox");
        let mut inbox = weft_proto::kinds::open("inbox", Some(&attached.state)).unwrap();
        for entry in attached.entries {
            apply(inbox.as_mut(), entry);
        }
        Self { socket, room: attached.room, sent: 0, inbox }
    }

    pub fn notices(&self) -> Vec<wire::Notice> {
        use prost::Message as _;
        wire::InboxState::decode(self.inbox.snapshot()).unwrap().notices
    }

    /// Waits until the inbox says this, a line for each notice.
    pub async fn says(&mut self, expected: &[&str]) {
        while self.lines() != expected {
            match self.socket.next().await {
                Ok(In::Events(events)) => {
                    events.entries.into_iter().for_each(|e| apply(self.inbox.as_mut(), e));
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        assert_eq!(self.lines(), expected);
    }

    /// Waits until there are so many notices.
    pub async fn holds(&mut self, count: usize) {
        self.until(|inbox| inbox.notices().len() == count).await;
    }

    /// Waits until that notice is read.
    pub async fn reads(&mut self, id: u64) {
        let is_read = |notice: &wire::Notice| notice.id == id && notice.read;
        self.until(|inbox| inbox.notices().iter().any(is_read)).await;
    }

    pub async fn until(&mut self, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            if let In::Events(events) = self.socket.hear().await {
                events.entries.into_iter().for_each(|e| apply(self.inbox.as_mut(), e));
            }
        }
    }

    fn lines(&self) -> Vec<String> {
        let line = |notice: &wire::Notice| {
            let told = notice.told.clone().unwrap();
            let params: Vec<_> =
                told.params.iter().map(|p| format!(" {}={}", p.name, p.value)).collect();
            let object = told.object.unwrap();
            let outcome = &notice.outcome;
            let answered = if outcome.is_empty() { String::new() } else { format!(" {outcome}") };
            let new = if notice.read { "" } else { "*" };
            let times =
                if notice.count > 1 { format!(" x{}", notice.count) } else { String::new() };
            format!(
                "{}{new} {} {}{}{times}{answered}",
                told.what,
                told.actor_name,
                object.title,
                params.concat()
            )
        };
        self.notices().iter().map(line).collect()
    }

    pub async fn submit(&mut self, op: &inbox::Op) {
        self.sent += 1;
        self.socket.submit(&self.room, self.sent, write_op(op)).await;
    }
}

fn apply(inbox: &mut dyn weft_core::machine::Machine, entry: weft_proto::wire::Entry) {
    if let Some(weft_proto::wire::entry::Body::Effect(effect)) = entry.body {
        inbox.apply(&effect).unwrap();
    }
}

async fn inbox_id(caller: &Caller) -> String {
    caller.get("/auth/me").await.expect(200)["inbox"].as_str().unwrap().to_owned()
}

async fn person_id(caller: &Caller) -> String {
    caller.get("/auth/me").await.expect(200)["user"]["id"].as_str().unwrap().to_owned()
}

pub async fn share(lin: &Caller, room: &str, username: &str, right: &str) {
    let form = json!({"username": username, "right": right});
    lin.post(&format!("/rooms/{room}/grants"), form).await.expect(200);
}

fn forged() -> inbox::Op {
    let object = inbox::Object { kind: inbox::ObjectKind::Room, id: [1; 16], title: "x".into() };
    let told =
        inbox::Told { what: "grant".into(), actor: None, object, params: Default::default() };
    inbox::Op::Add(1, told)
}

#[tokio::test]
async fn what_is_given_shows_on_all_devices_and_is_read_on_all() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let mut desk = Watched::open(&bo).await;
    let mut phone = Watched::open(&bo).await;
    let mut mine = Watched::open(&lin).await;
    let room = lin.document("Plan").await;
    share(&lin, &room, "bo", "edit").await;
    let new = ["grant* lin Plan right=edit"];
    desk.says(&new).await;
    phone.says(&new).await;
    let id = phone.notices()[0].id;
    phone.submit(&inbox::Op::MarkRead(vec![id])).await;
    let read = ["grant lin Plan right=edit"];
    desk.says(&read).await;
    phone.says(&read).await;
    // The same again within ten minutes is one notice, and new.
    server.clock.advance(9 * MINUTE);
    share(&lin, &room, "bo", "read").await;
    desk.says(&["grant* lin Plan right=read x2"]).await;
    server.clock.advance(11 * MINUTE);
    share(&lin, &room, "bo", "comment").await;
    desk.says(&["grant* lin Plan right=read x2", "grant* lin Plan right=comment"]).await;
    // Never to whoever did it.
    share(&bo.clone(), &bo.document("Own").await, "lin", "read").await;
    mine.says(&["grant* bo Own right=read"]).await;
    // Another visit finds it all.
    let mut later = Watched::open(&bo).await;
    later.says(&["grant* lin Plan right=read x2", "grant* lin Plan right=comment"]).await;
    let folder =
        json!({"space": lin.get("/spaces").await.expect(200)["spaces"][0]["id"], "name": "All"});
    let folder = lin.post("/folders", folder).await.expect(201)["id"].as_str().unwrap().to_owned();
    let form = json!({"username": "bo", "right": "read"});
    lin.post(&format!("/folders/{folder}/grants"), form).await.expect(200);
    let remove: Vec<u64> = later.notices().iter().map(|notice| notice.id).collect();
    later.submit(&inbox::Op::Remove(remove)).await;
    later.says(&["grant* lin All right=read"]).await;
}

#[tokio::test]
async fn nobody_forges_a_notice() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let mut inbox = Watched::open(&lin).await;
    let fault = inbox.socket.refused(&inbox.room.clone(), 1, write_op(&forged())).await;
    assert_eq!(fault, "inbox.server_only");
    let object = inbox::Object { kind: inbox::ObjectKind::Room, id: [1; 16], title: String::new() };
    let settled = inbox::Settled { what: "x".into(), actor: None, object, outcome: "y".into() };
    let op = write_op(&inbox::Op::Settle(1, settled));
    assert_eq!(inbox.socket.refused(&inbox.room.clone(), 2, op).await, "inbox.server_only");
    let many = write_op(&inbox::Op::MarkRead(vec![1; inbox::IDS_MAX + 1]));
    assert_eq!(inbox.socket.refused(&inbox.room.clone(), 3, many).await, "inbox.too_many");
    let junk = Bytes::from_static(b"\xff");
    assert_eq!(inbox.socket.refused(&inbox.room.clone(), 4, junk).await, "op_malformed");
    inbox.says(&[]).await;
}

#[tokio::test]
async fn an_inbox_is_there_for_its_person_alone_by_every_protocol_and_call() {
    let server = Server::open().await;
    let (admin, _) = server.set_up().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let room = lin.document("Plan").await;
    share(&lin, &room, "bo", "read").await;
    let mut own = Watched::open(&bo).await;
    own.says(&["grant* lin Plan right=read"]).await;
    let id = inbox_id(&bo).await;

    // Sockets: others, administrators, tokens of its own person.
    let scopes = json!(["read", "write", "manage", "room-tokens"]);
    let form = json!({"name": "all", "scopes": scopes});
    let token = bo.post("/tokens", form).await.expect(201)["token"].as_str().unwrap().to_owned();
    let program = server.stranger().bearer(&token);
    for caller in [&lin, &admin, &program] {
        assert_eq!(caller.socket().await.refused_room(&id).await, "not_found");
    }
    for (caller, form) in [
        (&bo, json!({"room": id, "right": "edit"})),
        (&lin, json!({"room": id, "right": "edit"})),
        (&program, json!({"room": id, "right": "edit"})),
    ] {
        caller.post("/room-tokens", form).await.refused(404, "not_found");
    }
    for caller in [&lin, &admin, &bo] {
        // Those who merge replicas find nothing there, not even its person.
        let code = match caller.try_connect(&format!("yjs/{id}")).await {
            Ok(stream) => Client(stream).closed().await,
            Err(_) => continue,
        };
        assert!((4400..4500).contains(&code), "{code}");
    }
    // A document that is called so is not the inbox.
    let form = json!({"key": id, "right": "edit", "create": true});
    let minted = bo.post("/room-tokens", form).await.expect(201);
    let guest = server.stranger().bearer(minted["token"].as_str().unwrap());
    assert_eq!(guest.socket().await.attach(&id).await.kind, "doc");

    // Calls: also by its own person, to whom it is no room among rooms.
    let me = person_id(&lin).await;
    for caller in [&lin, &admin] {
        for (method, path, body) in [
            (Method::GET, "", None),
            (Method::PATCH, "", Some(json!({"title": "x"}))),
            (Method::DELETE, "", None),
            (Method::POST, "/restore", None),
            (Method::PUT, "/star", None),
            (Method::PUT, "/mute", None),
            (Method::GET, "/text", None),
            (Method::GET, "/json", None),
            (Method::GET, "/state", None),
            (Method::GET, "/people", None),
            (Method::GET, "/invites", None),
            (Method::POST, "/invites", Some(json!({"right": "read"}))),
            (Method::POST, "/grants", Some(json!({"username": "bo", "right": "read"}))),
            (Method::DELETE, "/grants/bo", None),
            (Method::GET, "/access-requests", None),
            (Method::POST, "/mentions", Some(json!({"person": me, "mention_id": "1"}))),
        ] {
            let answer = caller.call(method, &format!("/rooms/{id}{path}"), body).await;
            answer.refused(404, "not_found");
        }
    }
    let listed = async |which: &str| {
        bo.get(&format!("/rooms?which={which}")).await.expect(200)["rooms"].clone()
    };
    for which in ["all", "recent", "starred", "shared", "trashed"] {
        let rooms = listed(which).await;
        let kinds: Vec<_> = rooms.as_array().unwrap().iter().map(|room| &room["kind"]).collect();
        assert!(kinds.iter().all(|kind| **kind == json!("doc")), "{which}: {rooms}");
    }
    let form = json!({"kind": "inbox", "title": "x"});
    assert_eq!(bo.post("/rooms", form).await.refused(400, "bad_request")["field"], "kind");
    // Asking to be let into somebody's inbox reaches nobody.
    lin.call(Method::POST, &format!("/rooms/{id}/access-requests"), None).await.expect(204);
    share(&lin, &lin.document("Later").await, "bo", "read").await;
    own.says(&["grant* lin Plan right=read", "grant* lin Later right=read"]).await;
}

#[tokio::test]
async fn an_invitation_is_answered_once_and_a_removal_is_told() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let mut inbox = Watched::open(&bo).await;
    let space = lin.post("/spaces", json!({"name": "Design"})).await.expect(201)["id"].clone();
    let members = format!("/spaces/{}/members", space.as_str().unwrap());
    let form = json!({"username": "bo", "role": "viewer"});
    lin.post(&members, form.clone()).await.expect(201);
    inbox.says(&["space.invited* lin Design role=viewer"]).await;
    lin.delete(&format!("{members}/bo")).await.expect(204);
    inbox.says(&["space.invited lin Design role=viewer withdrawn"]).await;
    lin.post(&members, form).await.expect(201);
    let answer = format!("/spaces/{}/answer", space.as_str().unwrap());
    bo.post(&answer, json!({"agree": true})).await.expect(200);
    let agreed = "space.invited lin Design role=viewer agreed";
    inbox.says(&["space.invited lin Design role=viewer withdrawn", agreed]).await;
    lin.delete(&format!("{members}/bo")).await.expect(204);
    let gone = "space.removed* lin Design";
    inbox.says(&["space.invited lin Design role=viewer withdrawn", agreed, gone]).await;
}

#[tokio::test]
async fn who_cannot_open_it_or_has_muted_it_hears_nothing() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let mut inbox = Watched::open(&bo).await;
    let (loud, quiet) = (lin.document("Loud").await, lin.document("Quiet").await);
    for room in [&loud, &quiet] {
        share(&lin, room, "bo", "read").await;
    }
    inbox.says(&["grant* lin Loud right=read", "grant* lin Quiet right=read"]).await;
    bo.call(Method::PUT, &format!("/rooms/{quiet}/mute"), None).await.expect(204);
    assert_eq!(bo.get(&format!("/rooms/{quiet}")).await.expect(200)["muted"], true);
    assert_eq!(lin.get(&format!("/rooms/{quiet}")).await.expect(200)["muted"], false);
    let bo_id = person_id(&bo).await;
    let mention = async |room: &str, number: &str| {
        let form = json!({"person": bo_id, "mention_id": number});
        lin.post(&format!("/rooms/{room}/mentions"), form).await
    };
    mention(&quiet, "1").await.expect(204);
    // Once for each number.
    mention(&loud, "2").await.expect(204);
    mention(&loud, "2").await.expect(204);
    let two = ["grant* lin Loud right=read", "grant* lin Quiet right=read", "mention* lin Loud"];
    inbox.says(&two).await;
    bo.delete(&format!("/rooms/{quiet}/mute")).await.expect(204);
    mention(&quiet, "3").await.expect(204);
    inbox.says(&[two[0], two[1], two[2], "mention* lin Quiet"]).await;

    lin.delete(&format!("/rooms/{loud}/grants/bo")).await.expect(204);
    let refused = mention(&loud, "4").await.refused(400, "bad_request");
    assert_eq!((&refused["field"], &refused["reason"]), (&json!("person"), &json!("unknown")));
    for form in [
        json!({"person": "x", "mention_id": "5"}),
        json!({"person": bo_id}),
        json!({"mention_id": "5"}),
    ] {
        lin.post(&format!("/rooms/{quiet}/mentions"), form).await.refused(400, "bad_request");
    }
    let odd = json!({"person": bo_id, "mention_id": "a b"});
    lin.post(&format!("/rooms/{quiet}/mentions"), odd).await.refused(400, "bad_request");
    // Whoever only reads mentions nobody.
    let form = json!({"person": person_id(&lin).await, "mention_id": "6"});
    bo.post(&format!("/rooms/{quiet}/mentions"), form).await.refused(403, "no_right");
}

#[tokio::test]
async fn mentions_and_requests_are_throttled() {
    let few = Server::limits(|limits| {
        limits.mentions_per_minute = 2;
        limits.access_requests_per_hour = 2;
    });
    let server = Server::with(few).await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let room = lin.document("Plan").await;
    share(&lin, &room, "bo", "read").await;
    let bo_id = person_id(&bo).await;
    for (number, fits) in [("1", true), ("2", true), ("3", false)] {
        let form = json!({"person": bo_id, "mention_id": number});
        let answer = lin.post(&format!("/rooms/{room}/mentions"), form).await;
        if fits { drop(answer.expect(204)) } else { drop(answer.refused(429, "too_many_attempts")) }
    }
    let ask = format!("/rooms/{room}/access-requests");
    for fits in [true, true, false] {
        let answer = bo.call(Method::POST, &ask, None).await;
        if fits { drop(answer.expect(204)) } else { drop(answer.refused(429, "too_many_attempts")) }
    }
}

async fn requests(lin: &Caller, room: &str) -> Vec<Value> {
    let answer = lin.get(&format!("/rooms/{room}/access-requests")).await.expect(200);
    answer["requests"].as_array().unwrap().iter().map(|r| r["person"]["username"].clone()).collect()
}

#[tokio::test]
async fn asking_says_the_same_whatever_there_is_and_is_answered() {
    let server = Server::open().await;
    let (lin, bo, cy) =
        (server.person("lin").await, server.person("bo").await, server.person("cy").await);
    let mut managers = Watched::open(&lin).await;
    let mut asker = Watched::open(&bo).await;
    let room = lin.document("Plan").await;
    let (bo_id, cy_id) = (person_id(&bo).await, person_id(&cy).await);
    let nowhere = weft_core::RoomId::new(NOW, [9; 10]).to_string();
    for asked in [room.as_str(), nowhere.as_str(), "no-id-at-all", room.as_str()] {
        let answer = bo.call(Method::POST, &format!("/rooms/{asked}/access-requests"), None).await;
        answer.expect(204);
    }
    managers.says(&["access.asked* bo Plan"]).await;
    assert_eq!(requests(&lin, &room).await, [json!("bo")]);
    let stranger = server.stranger();
    let path = format!("/rooms/{room}/access-requests");
    stranger.call(Method::POST, &path, None).await.refused(401, "not_signed_in");
    bo.get(&path).await.refused(404, "not_found");
    let answer = format!("{path}/{bo_id}");
    bo.post(&answer, json!({"allow": "edit"})).await.refused(404, "not_found");

    lin.post(&answer, json!({})).await.refused(400, "bad_request");
    lin.post(&answer, json!({"allow": "manage"})).await.refused(400, "bad_request");
    lin.post(&answer, json!({"allow": "comment"})).await.expect(204);
    asker.says(&["access.allowed* lin Plan right=comment"]).await;
    managers.says(&["access.asked bo Plan allowed"]).await;
    assert_eq!(bo.get(&format!("/rooms/{room}")).await.expect(200)["right"], "comment");
    assert!(requests(&lin, &room).await.is_empty());
    lin.post(&answer, json!({"allow": "edit"})).await.refused(404, "not_found");

    // Declined: told without the title, and not heard again for a day.
    cy.call(Method::POST, &path, None).await.expect(204);
    managers.says(&["access.asked bo Plan allowed", "access.asked* cy Plan"]).await;
    let answer = format!("{path}/{cy_id}");
    lin.post(&answer, json!({"allow": null})).await.expect(204);
    let declined = "access.asked cy Plan declined";
    managers.says(&["access.asked bo Plan allowed", declined]).await;
    let mut cys = Watched::open(&cy).await;
    cys.says(&["access.declined* lin "]).await;
    cy.call(Method::POST, &path, None).await.expect(204);
    assert!(requests(&lin, &room).await.is_empty());
    server.clock.advance(DAY);
    cy.call(Method::POST, &path, None).await.expect(204);
    managers.says(&["access.asked bo Plan allowed", declined, "access.asked* cy Plan"]).await;
    // What is given by name ends the request, too.
    share(&lin, &room, "cy", "read").await;
    managers
        .says(&["access.asked bo Plan allowed", declined, "access.asked cy Plan allowed"])
        .await;
    cys.says(&["access.declined* lin ", "grant* lin Plan right=read"]).await;
}

#[tokio::test]
async fn where_only_members_get_in_nobody_is_let_in_by_mistake() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let mut managers = Watched::open(&lin).await;
    let space = lin.post("/spaces", json!({"name": "Design"})).await.expect(201)["id"].clone();
    let form = json!({"kind": "doc", "title": "Plan", "space": space});
    let room = lin.post("/rooms", form).await.expect(201)["id"].as_str().unwrap().to_owned();
    let rules = json!({"rules": {"outsiders": false}});
    lin.patch(&format!("/spaces/{}", space.as_str().unwrap()), rules).await.expect(200);
    let path = format!("/rooms/{room}/access-requests");
    bo.call(Method::POST, &path, None).await.expect(204);
    managers.says(&["access.asked* bo Plan"]).await;
    let answer =
        lin.post(&format!("{path}/{}", person_id(&bo).await), json!({"allow": "read"})).await;
    assert_eq!(answer.refused(400, "bad_request")["reason"], "not_allowed");
    let grants = lin.get(&format!("/rooms/{room}/people")).await.expect(200)["grants"].clone();
    assert_eq!(grants, json!([]));
    assert_eq!(requests(&lin, &room).await, [json!("bo")]);
}

#[tokio::test]
async fn what_was_told_before_the_power_failed_is_delivered_afterwards_and_once() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let room = lin.document("Plan").await;
    let bo_id: PersonId = person_id(&bo).await.parse().unwrap();
    share(&lin, &room, "bo", "read").await;
    Watched::open(&bo).await.says(&["grant* lin Plan right=read"]).await;
    server.running.stop().await;

    // Between cause and delivery: what waits is in the metadata alone.
    let object = inbox::Object { kind: inbox::ObjectKind::Room, id: [1; 16], title: "Late".into() };
    let told =
        inbox::Told { what: "mention".into(), actor: None, object, params: Default::default() };
    let op = write_op(&inbox::Op::Add(0, told)).to_vec();
    let new = NewDelivery { to: bo_id, about: None, op };
    let meta = Meta::open(&server.dir.path().join("data/meta.db")).await.unwrap();
    meta.post(std::slice::from_ref(&new), NOW).await.unwrap();
    meta.close().await;

    let server = Server::in_dir(server.dir, |_| {}).await;
    let bo = server.stranger().bearer(&token_of(&bo));
    let all = ["grant* lin Plan right=read", "mention*  Late"];
    Watched::open(&bo).await.says(&all).await;
    // It is removed once it is in there.
    while !server.running.state().meta.deliveries(0, 9).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

fn token_of(caller: &Caller) -> String {
    let header = caller.headers["authorization"].to_str().unwrap();
    header.strip_prefix("Bearer ").unwrap().to_owned()
}
