//! What spaces hold, what they may hold, and what a full one does at each door.

use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use reqwest::Method;
use serde_json::{Value, json};
use weft_core::RoomId;
use weft_proto::{
    order_wire::{self, order_op::Op},
    wire::{outcome::Is, server_frame::Body as In},
    yjs::{Message, Sync, hocuspocus::sync_status},
};
use weft_server::Config;

use crate::{
    hocuspocus,
    inbox::Watched,
    security::join,
    support::{Caller, Server},
    wire::{Socket, typed},
    yjs,
};

/// Nothing takes that long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Rooms are weighed and spaces added up at once.
fn at_once() -> impl FnOnce(&mut Config) {
    Server::limits(|limits| {
        limits.room_touch_ms = 1;
        limits.quota_check_ms = 1;
    })
}

async fn until<T>(what: &str, found: impl AsyncFn() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = found().await {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("never: {what}"))
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

async fn team(owner: &Caller, name: &str) -> String {
    id(&owner.post("/spaces", json!({"name": name})).await.expect(201))
}

async fn room_in(by: &Caller, space: &str) -> String {
    let form = json!({"kind": "doc", "title": "Plan", "space": space});
    id(&by.post("/rooms", form).await.expect(201))
}

async fn used(by: &Caller, space: &str) -> u64 {
    let seen = by.get(&format!("/spaces/{space}")).await.expect(200);
    seen["storage_used"].as_u64().unwrap()
}

/// A space's own quota: bytes, `default` or `unlimited`.
async fn set(admin: &Caller, space: &str, quota: Value) -> Value {
    let form = match quota.as_u64() {
        Some(bytes) => json!({"quota_set": "bytes", "quota": bytes}),
        None => json!({"quota_set": quota}),
    };
    let path = format!("/admin/spaces/{space}/quota");
    admin.call(Method::PUT, &path, Some(form)).await.expect(200)
}

async fn set_defaults(admin: &Caller, team: Value, personal: Value) -> Value {
    let form = json!({"team": team, "personal": personal});
    admin.call(Method::PUT, "/admin/quotas", Some(form)).await.expect(200)
}

/// The code with which an operation is kept waiting.
async fn not_saved(socket: &mut Socket, room: &Bytes, client_seq: u64, op: Bytes) -> String {
    socket.submit(room, client_seq, op).await;
    match socket.outcome(client_seq).await {
        Is::NotSaved(fault) => fault.code,
        other => panic!("not kept waiting: {other:?}"),
    }
}

#[tokio::test]
async fn a_space_holds_what_its_rooms_take_also_in_the_trash_and_after_a_crash() {
    let server = Server::in_time(at_once()).await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    let space = team(&lin, "Design").await;
    assert_eq!(used(&lin, &space).await, 0);
    let room = room_in(&lin, &space).await;
    let small = used(&lin, &space).await;
    assert!(small > 0, "it has an entry that says that it was made");

    lin.merge(&room, typed(1, &"x".repeat(20_000))).await.expect(200);
    let grown = |more: u64| {
        let (lin, space) = (&lin, &space);
        async move || Some(used(lin, space).await).filter(|&used| used >= more)
    };
    let large = until("it has grown", grown(small + 20_000)).await;
    assert!(large < small + 21_000, "{large}");
    lin.merge(&room, typed(2, &"y".repeat(10_000))).await.expect(200);
    let larger = until("it has grown again", grown(large + 10_000)).await;

    // It does not matter where it lies in the space, or that it is in the trash.
    lin.delete(&format!("/rooms/{room}")).await.expect(200);
    assert_eq!(used(&lin, &space).await, larger);
    lin.post(&format!("/rooms/{room}/restore"), json!({})).await.expect(200);
    // Another space has it then.
    let other = team(&lin, "Other").await;
    lin.patch(&format!("/rooms/{room}"), json!({"space": other})).await.expect(200);
    assert_eq!((used(&lin, &space).await, used(&lin, &other).await), (0, larger));

    // What was noted before a crash may be anything: a server that starts weighs anew.
    let id: RoomId = room.parse().unwrap();
    let server = server.restart_in_time(at_once()).await;
    let lin = Caller { base: server.stranger().base, ..lin };
    assert_eq!(used(&lin, &other).await, larger);
    server.running.state().meta.set_weight(id, 7).await.unwrap();
    assert_eq!(used(&lin, &other).await, 7);
    let server = server.restart_in_time(at_once()).await;
    let lin = Caller { base: server.stranger().base, ..lin };
    until("it is weighed", async || (used(&lin, &other).await == larger).then_some(())).await;
    let admin = Caller { base: server.stranger().base, ..admin };
    let page = admin.get("/admin/spaces?sort=used").await.expect(200);
    assert_eq!(
        (&page["spaces"][0]["name"], &page["spaces"][0]["storage_used"]),
        (&json!("Other"), &json!(larger))
    );
}

#[tokio::test]
async fn a_full_space_takes_nothing_more_by_the_native_protocol_until_it_has_room() {
    let server = Server::in_time(at_once()).await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    let space = team(&lin, "Design").await;
    let id = room_in(&lin, &space).await;
    let order = json!({"kind": "order", "title": "Lunch", "space": space});
    let order = lin.post("/rooms", order).await.expect(201);
    let mut socket = lin.socket().await;
    let room = socket.attach(&id).await.room;
    let lunch = socket.attach(order["id"].as_str().unwrap()).await.room;
    assert_eq!(socket.saved(&room, 1, typed(1, "before")).await, 2);

    let told = set(&admin, &space, json!(1)).await;
    assert_eq!((&told["quota"], &told["quota_set"]), (&json!(1), &json!("bytes")));
    assert_eq!(not_saved(&mut socket, &room, 2, typed(2, "after")).await, "quota_exceeded");
    let line = order_wire::AddLine { name: "Cake".into(), price_minor: 500, stock: Some(1) };
    let line: Bytes = order_wire::OrderOp { op: Some(Op::AddLine(line)) }.encode_to_vec().into();
    assert_eq!(not_saved(&mut socket, &lunch, 1, line.clone()).await, "quota_exceeded");
    // What is there is there: it is read, and an answer is given again.
    assert_eq!(lin.get(&format!("/rooms/{id}/text")).await.text, "before");
    assert_eq!(socket.saved(&room, 1, typed(1, "before")).await, 2);
    // Another client that knows nothing of numbers has what is there, too.
    assert_eq!(lin.socket().await.attach(&id).await.head, 2);

    set(&admin, &space, json!("unlimited")).await;
    let mut told = 0;
    while told < 2 {
        if let In::Storing(storing) = socket.hear().await {
            assert!(storing.ok);
            told += 1;
        }
    }
    assert_eq!(socket.saved(&room, 2, typed(2, "after")).await, 3);
    assert_eq!(socket.saved(&lunch, 1, line).await, 2);
}

#[tokio::test]
async fn a_full_space_takes_nothing_more_by_calls() {
    let server = Server::in_time(at_once()).await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    let (space, roomy) = (team(&lin, "Design").await, team(&lin, "Roomy").await);
    let (id, elsewhere) = (room_in(&lin, &space).await, room_in(&lin, &roomy).await);
    let folder = json!({"space": roomy, "name": "Plans"});
    let folder = lin.post("/folders", folder).await.expect(201)["id"].as_str().unwrap().to_owned();
    let in_folder = json!({"kind": "doc", "title": "", "space": roomy, "folder": folder});
    lin.post("/rooms", in_folder).await.expect(201);
    lin.merge(&id, typed(1, "before")).await.expect(200);
    set(&admin, &space, json!(1)).await;

    let params = lin.merge(&id, typed(2, "after")).await.refused(507, "quota_exceeded");
    assert!(params["retry_ms"].as_u64().unwrap() > 0, "{params}");
    lin.merge(&id, typed(1, "before")).await.expect(200);
    let form = json!({"kind": "doc", "title": "", "space": space});
    lin.post("/rooms", form.clone()).await.refused(507, "quota_exceeded");
    let into = json!({"space": space});
    let room = format!("/rooms/{elsewhere}");
    lin.patch(&room, into.clone()).await.refused(507, "quota_exceeded");
    let folder = format!("/folders/{folder}");
    lin.patch(&folder, into.clone()).await.refused(507, "quota_exceeded");
    // What adds nothing goes on: names, the trash, and leaving.
    lin.patch(&format!("/rooms/{id}"), json!({"title": "Full"})).await.expect(200);
    lin.delete(&format!("/rooms/{id}")).await.expect(200);
    lin.post(&format!("/rooms/{id}/restore"), json!({})).await.expect(200);
    lin.get(&format!("/rooms/{id}/state")).await;
    lin.patch(&format!("/rooms/{id}"), json!({"space": roomy})).await.expect(200);
    lin.merge(&id, typed(2, "after")).await.expect(200);

    // It has room again now, but not for more than that.
    assert_eq!(used(&lin, &space).await, 0);
    lin.patch(&room, into.clone()).await.refused(507, "quota_exceeded");
    set(&admin, &space, json!(100_000)).await;
    lin.patch(&room, into.clone()).await.expect(200);
    lin.patch(&folder, into).await.expect(200);
    lin.post("/rooms", form).await.expect(201);
}

#[tokio::test]
async fn a_full_space_of_ones_own_makes_no_documents_for_programs() {
    let server = Server::in_time(at_once()).await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    lin.document("Plan").await;
    let mint = async |key: &str| {
        let form = json!({"key": key, "right": "edit", "create": true});
        let minted = lin.post("/room-tokens", form).await.expect(201);
        server.stranger().bearer(minted["token"].as_str().unwrap())
    };
    let program = mint("new").await;
    set_defaults(&admin, json!(null), json!(1)).await;
    lin.post("/rooms", json!({"kind": "doc", "title": ""})).await.refused(507, "quota_exceeded");
    lin.post("//doc/new", json!({"docId": "x"})).await.refused(507, "quota_exceeded");
    program.get("/rooms/new").await.refused(507, "quota_exceeded");
    assert_eq!(yjs::Client::open(&program, "new").await.closed().await, 4507);
    assert_eq!(program.socket().await.refused_room("new").await, "quota_exceeded");
    // Teams are not meant.
    room_in(&lin, &team(&lin, "Design").await).await;
    set_defaults(&admin, json!(null), json!(null)).await;
    program.get("/rooms/new").await.expect(200);
}

#[tokio::test]
async fn a_y_websocket_client_is_closed_with_a_code_to_come_back_and_readers_stay() {
    let server = Server::in_time(at_once()).await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    let space = team(&lin, "Design").await;
    let id = room_in(&lin, &space).await;
    lin.merge(&id, typed(1, "before")).await.expect(200);
    set(&admin, &space, json!(1)).await;
    let mut reader = yjs::Client::in_step(&lin, &id).await;
    let mut writer = yjs::Client::in_step(&lin, &id).await;
    // It says what it has, as each does that comes back: nothing new.
    reader.say(&yjs::update(typed(1, "before"))).await;
    writer.say(&yjs::update(typed(2, "after"))).await;
    assert_eq!(writer.closed().await, 4507);
    set(&admin, &space, json!("default")).await;
    let mut writer = yjs::Client::in_step(&lin, &id).await;
    writer.say(&yjs::update(typed(2, "after"))).await;
    let mut heard = reader.hear().await;
    while let Ok(Message::Awareness(_)) = heard {
        heard = reader.hear().await;
    }
    assert_eq!(heard, Ok(yjs::update(typed(2, "after"))), "it was there all the time");
}

#[tokio::test]
async fn a_y_sweet_client_hears_no_echo_until_there_is_room() {
    let server = Server::in_time(at_once()).await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    let space = team(&lin, "Design").await;
    let id = room_in(&lin, &space).await;
    set(&admin, &space, json!(1)).await;
    let mut client = yjs::Client::in_step_at(&lin, &format!("d/{id}/ws/{id}")).await;
    client.say(&yjs::update(typed(1, "mine"))).await;
    client.say(&Message::Echo(Bytes::from_static(&[1, 7]))).await;
    // Something is said all the same, or the client would take the server for gone.
    assert_eq!(client.hear().await, Ok(Message::Awareness(Vec::new())));
    set(&admin, &space, json!("unlimited")).await;
    let mut heard = client.hear().await;
    while let Ok(Message::Awareness(_)) = heard {
        heard = client.hear().await;
    }
    assert!(matches!(heard, Ok(Message::Sync(Sync::Step1(_)))), "{heard:?}");
    client.say(&Message::Sync(Sync::Step2(typed(1, "mine")))).await;
    let mut all = Vec::new();
    while !all.contains(&Message::Echo(Bytes::from_static(&[1, 7]))) {
        all.push(client.hear().await.unwrap());
    }
    assert_eq!(lin.get(&format!("/rooms/{id}/text")).await.text, "mine");
}

#[tokio::test]
async fn a_hocuspocus_provider_knows_that_it_is_not_saved_and_keeps_its_other_documents() {
    let server = Server::in_time(at_once()).await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    let (space, roomy) = (team(&lin, "Design").await, team(&lin, "Roomy").await);
    let (id, other) = (room_in(&lin, &space).await, room_in(&lin, &roomy).await);
    set(&admin, &space, json!(1)).await;
    let mut client = hocuspocus::Client::in_step(&server, &id, &lin).await;
    client.say(&id, &hocuspocus::update(typed(1, "mine"))).await;
    client.hears(&id, &sync_status(false)).await;
    // The same socket goes on with what is not full.
    client.follow(&other, &lin, false).await;
    client.say(&other, &hocuspocus::step2(&[0, 0])).await;
    client.hears(&other, &sync_status(true)).await;
    set(&admin, &space, json!("unlimited")).await;
    let said = client.hear().await.unwrap();
    let said = Bytes::copy_from_slice(said.strip_prefix(&hocuspocus::text(&id)[..]).unwrap());
    assert!(matches!(Message::read(&said), Ok(Message::Sync(Sync::Step1(_)))), "{said:?}");
    client.say(&id, &hocuspocus::step2(&typed(1, "mine"))).await;
    let said = client.all(&id, &lin).await;
    assert_eq!(said.iter().filter(|said| **said == sync_status(true)).count(), 1, "{said:?}");
    assert_eq!(lin.get(&format!("/rooms/{id}/text")).await.text, "mine");
}

#[tokio::test]
async fn who_writes_on_reaches_the_quota_and_those_who_manage_are_told_once_before() {
    let server = Server::in_time(at_once()).await;
    let (admin, _) = server.set_up().await;
    let (lin, bo, cy) =
        (server.person("lin").await, server.person("bo").await, server.person("cy").await);
    let space = team(&lin, "Design").await;
    join(&lin, &space, "bo", &bo, "admin").await;
    join(&lin, &space, "cy", &cy, "editor").await;
    let id = room_in(&lin, &space).await;
    set(&admin, &space, json!(100_000)).await;
    let before = used(&lin, &space).await;
    lin.merge(&id, typed(1, &"x".repeat(85_000))).await.expect(200);
    let weighed = async || Some(used(&lin, &space).await).filter(|&used| used > before);
    let weighed = until("it is weighed", weighed).await;
    let notice = format!("space.nearly_full*  Design quota=100000 used={weighed}");
    let (mut of_lin, mut of_bo) = (Watched::open(&lin).await, Watched::open(&bo).await);
    of_lin.says(&[&notice]).await;
    of_bo.holds(2).await;
    assert_eq!(Watched::open(&cy).await.notices().len(), 1, "editors are only invited");

    let mut client = 2;
    while lin.merge(&id, typed(client, &"y".repeat(2_000))).await.status == 200 {
        client += 1;
        assert!(client < 10_000, "it is never full");
    }
    lin.merge(&id, typed(client, "y")).await.refused(507, "quota_exceeded");
    assert_eq!(of_lin.notices().len(), 1, "once");
    // Room for a while, and nearly full anew.
    set(&admin, &space, json!(100_000_000)).await;
    lin.merge(&id, typed(client, "y")).await.expect(200);
    let held = used(&lin, &space).await;
    set(&admin, &space, json!(held + 1)).await;
    of_lin.until(|inbox| inbox.notices().iter().map(|notice| notice.count).sum::<u32>() == 2).await;
}

#[tokio::test]
async fn a_quota_is_said_by_administrators_and_seen_by_those_who_manage() {
    let server = Server::in_time(at_once()).await;
    let (admin, _) = server.set_up().await;
    let (lin, bo, cy) =
        (server.person("lin").await, server.person("bo").await, server.person("cy").await);
    let space = team(&lin, "Design").await;
    join(&lin, &space, "bo", &bo, "editor").await;
    room_in(&lin, &space).await;
    let path = format!("/admin/spaces/{space}/quota");
    for (method, path, form) in [
        (Method::GET, "/admin/quotas", None),
        (Method::PUT, "/admin/quotas", Some(json!({"team": 1, "personal": 1}))),
        (Method::GET, path.as_str(), None),
        (Method::PUT, path.as_str(), Some(json!({"quota_set": "unlimited"}))),
    ] {
        lin.call(method.clone(), path, form.clone()).await.refused(403, "no_right");
        server.stranger().call(method, path, form).await.refused(401, "not_signed_in");
    }
    let none = json!({"team": null, "personal": null});
    assert_eq!(admin.get("/admin/quotas").await.expect(200), none);
    let seen = async |by: &Caller| {
        let seen = by.get(&format!("/spaces/{space}")).await.expect(200);
        (seen["storage_used"].clone(), seen["quota"].clone())
    };
    let held = seen(&lin).await.0;
    assert_eq!(seen(&lin).await, (held.clone(), Value::Null));
    let both = set_defaults(&admin, json!(5_000_000), json!(7_000_000)).await;
    assert_eq!(both, json!({"team": 5_000_000, "personal": 7_000_000}));
    assert_eq!(seen(&lin).await, (held.clone(), json!(5_000_000)));
    assert_eq!(seen(&bo).await, (Value::Null, Value::Null), "he does not manage it");
    cy.get(&format!("/spaces/{space}")).await.refused(404, "not_found");
    let own = lin.get("/spaces").await.expect(200)["spaces"][0]["id"].clone();
    let own = lin.get(&format!("/spaces/{}", own.as_str().unwrap())).await.expect(200);
    assert_eq!((&own["storage_used"], &own["quota"]), (&json!(0), &json!(7_000_000)));
    let gallery = json!({"kind": "doc", "title": "", "space": "0".repeat(26)});
    lin.post("/rooms", gallery).await.expect(201);

    // What is said of one space goes over what is said of all.
    set(&admin, &space, json!(9_000_000)).await;
    assert_eq!(seen(&lin).await, (held.clone(), json!(9_000_000)));
    set(&admin, &space, json!("unlimited")).await;
    assert_eq!(seen(&lin).await, (held.clone(), Value::Null));
    let told = admin.get(&path).await.expect(200);
    assert_eq!(told, json!({"storage_used": held, "quota": null, "quota_set": "unlimited"}));
    set(&admin, &space, json!("default")).await;
    assert_eq!(seen(&lin).await, (held, json!(5_000_000)));

    let put = async |path: &str, form: Value| admin.call(Method::PUT, path, Some(form)).await;
    for (form, field) in [
        (json!({}), "team"),
        (json!({"team": 1}), "personal"),
        (json!({"team": 0, "personal": null}), "team"),
        (json!({"team": null, "personal": 1_u64 << 53}), "personal"),
    ] {
        let params = put("/admin/quotas", form.clone()).await.refused(400, "bad_request");
        assert_eq!(params["field"], field, "{form}");
    }
    for (form, field) in [
        (json!({}), "quota_set"),
        (json!({"quota_set": "much"}), "quota_set"),
        (json!({"quota_set": "bytes"}), "quota"),
        (json!({"quota_set": "bytes", "quota": 0}), "quota"),
    ] {
        let params = put(&path, form.clone()).await.refused(400, "bad_request");
        assert_eq!(params["field"], field, "{form}");
    }
    put("/admin/spaces/00000000000000000000000009/quota", json!({"quota_set": "default"}))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn quotas_are_noted_in_the_audit_log_when_they_change() {
    let server = Server::in_time(at_once()).await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    let space = team(&lin, "Design").await;
    for _ in 0..2 {
        set_defaults(&admin, json!(500), json!(null)).await;
        set(&admin, &space, json!(700)).await;
    }
    set(&admin, &space, json!("unlimited")).await;
    set(&admin, &space, json!("default")).await;
    set_defaults(&admin, json!(null), json!(null)).await;
    let acts = admin.get("/admin/audit?person=admin").await.expect(200);
    let acts = acts["acts"].as_array().unwrap().clone();
    let of = |act: &str| -> Vec<Value> {
        let of = acts.iter().rev().filter(|row| row["act"] == act);
        of.map(|row| json!([row["space"]["name"], row["params"]])).collect()
    };
    assert_eq!(
        of("quota_changed"),
        [
            json!(["Design", {"quota": 700}]),
            json!(["Design", {"quota": "unlimited"}]),
            json!(["Design", {"quota": "default"}]),
        ]
    );
    assert_eq!(
        of("setting_changed"),
        [
            json!([null, {"setting": "team_quota", "value": 500}]),
            json!([null, {"setting": "team_quota", "value": "unlimited"}]),
        ]
    );
    // Those who manage the space see it, too.
    let seen = lin.get(&format!("/spaces/{space}/audit")).await.expect(200);
    assert_eq!(seen["acts"][0]["act"], "quota_changed");
}

#[tokio::test]
async fn spaces_are_listed_by_what_they_hold() {
    let server = Server::in_time(at_once()).await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    for (name, rooms) in [("None", 0), ("Two", 2), ("One", 1), ("Also two", 2)] {
        let space = team(&lin, name).await;
        for _ in 0..rooms {
            room_in(&lin, &space).await;
        }
    }
    let names = |page: &Value| -> Vec<String> {
        let spaces = page["spaces"].as_array().unwrap();
        spaces.iter().map(|space| space["name"].as_str().unwrap().to_owned()).collect()
    };
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/admin/spaces?sort=used&limit=2{after}");
        let page = admin.get(&path).await.expect(200);
        all.extend(names(&page));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    // The gallery has no name; those that hold the same are the oldest first.
    assert_eq!(all, ["Two", "Also two", "One", "", "None"]);
    let page = admin.get("/admin/spaces?kind=personal&sort=used").await.expect(200);
    let owners: Vec<&Value> = page["spaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|space| &space["owner"]["username"])
        .collect();
    assert_eq!(owners, ["admin", "lin"], "the administrator has a welcome document");
    assert_eq!(page["spaces"][1]["storage_used"], 0);
    for bad in ["kind=x", "sort=x", "sort=used&after=x", "sort=used&after=1-x", "after=1-x"] {
        admin.get(&format!("/admin/spaces?{bad}")).await.refused(400, "bad_request");
    }
}
