//! Deliveries, muted rooms and requests for access.

use super::*;

#[tokio::test]
async fn deliveries_wait_in_order_and_their_numbers_never_come_back() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    let room = f.room(3, lin, None).await;
    let new = |to, about, op: &[u8]| NewDelivery { to, about, op: op.to_vec() };
    let about = Some(Target::Room(room));
    f.meta.post(&[new(lin, None, b"one"), new(bo, about, b"two")], 5).await.unwrap();
    f.meta
        .post(&[new(lin, Some(Target::Folder(FolderId::from_bytes([7; 16]))), b"three")], 6)
        .await
        .unwrap();
    let waiting = f.meta.deliveries(0, 10).await.unwrap();
    let seen: Vec<_> = waiting.iter().map(|d| (d.to, d.about, d.op.as_slice())).collect();
    let folder = Some(Target::Folder(FolderId::from_bytes([7; 16])));
    assert_eq!(seen, [(lin, None, &b"one"[..]), (bo, about, b"two"), (lin, folder, b"three")]);
    let last = waiting[2].id;
    assert_eq!(f.meta.deliveries(waiting[0].id, 1).await.unwrap(), [waiting[1].clone()]);
    for delivery in waiting {
        f.meta.delivered(delivery.id, None).await.unwrap();
    }
    assert!(f.meta.deliveries(0, 10).await.unwrap().is_empty());
    f.meta.post(&[new(bo, None, b"four")], 7).await.unwrap();
    assert!(f.meta.deliveries(0, 10).await.unwrap()[0].id > last);
}

#[tokio::test]
async fn a_mention_is_told_of_once() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    let room = f.room(3, lin, None).await;
    let new = NewDelivery { to: bo, about: Some(Target::Room(room)), op: b"op".to_vec() };
    assert!(f.meta.post_mention(room, "m1", &new, 10).await.unwrap());
    assert!(!f.meta.post_mention(room, "m1", &new, 11).await.unwrap());
    assert!(f.meta.post_mention(room, "m2", &new, 12).await.unwrap());
    assert_eq!(f.meta.deliveries(0, 10).await.unwrap().len(), 2);
    assert!(!f.meta.post_mention(room, "m1", &new, 10 + MENTION_KEPT_MS).await.unwrap());
    assert!(f.meta.post_mention(room, "m1", &new, 11 + MENTION_KEPT_MS).await.unwrap());
}

#[tokio::test]
async fn an_inbox_is_its_persons_alone_and_stands_in_no_list() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    assert!(!f.meta.has_inbox(lin).await.unwrap());
    f.meta.note_inbox(lin, 5).await.unwrap();
    f.meta.note_inbox(lin, 6).await.unwrap();
    assert!(f.meta.has_inbox(lin).await.unwrap() && !f.meta.has_inbox(bo).await.unwrap());
    let inbox = inbox_of(lin);
    assert_eq!(f.meta.right(inbox, lin, 9).await.unwrap(), Some(Right::Edit));
    assert_eq!(f.meta.right(inbox, bo, 9).await.unwrap(), None);
    assert_eq!(f.meta.room(&inbox.to_string(), lin).await.unwrap(), None);
    assert_eq!(f.meta.room_view(inbox, lin, 9).await.unwrap(), None);
    assert!(f.listed(lin, false).await.is_empty());
    let shared = f.meta.grant(Target::Room(inbox), &to("bo", Right::Edit), lin, 9).await;
    assert!(matches!(shared, Err(MetaError::Refused(Refusal::NotFound))));
}

#[tokio::test]
async fn rooms_are_muted_for_one_person() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    let room = f.room(3, lin, None).await;
    f.meta.set_muted(room, lin, true, 5).await.unwrap();
    f.meta.set_muted(room, lin, true, 6).await.unwrap();
    assert!(f.meta.is_muted(room, lin).await.unwrap() && !f.meta.is_muted(room, bo).await.unwrap());
    assert!(f.meta.room_view(room, lin, 9).await.unwrap().unwrap().muted);
    f.meta.set_muted(room, lin, false, 7).await.unwrap();
    assert!(!f.meta.is_muted(room, lin).await.unwrap());
}

#[tokio::test]
async fn one_request_waits_and_who_was_declined_waits_a_day() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    let room = f.room(3, lin, None).await;
    let nowhere = RoomId::from_bytes([9; 16]);
    let asked = AskedFor { room, person: bo };
    let untold = async || f.meta.untold_requests(10).await.unwrap();
    let listed = async || {
        let requests = f.meta.access_requests(room).await.unwrap();
        requests.into_iter().map(|r| (r.person.username, r.at)).collect::<Vec<_>>()
    };
    f.meta.ask_for_access(room, bo, 5).await.unwrap();
    f.meta.ask_for_access(room, bo, 6).await.unwrap();
    f.meta.ask_for_access(nowhere, bo, 7).await.unwrap();
    assert_eq!(untold().await, [asked, AskedFor { room: nowhere, person: bo }]);
    assert!(listed().await.is_empty(), "nobody is told yet");
    assert!(!f.meta.end_request(AskedFor { room: nowhere, person: bo }, None).await.unwrap());
    assert_eq!(untold().await, [asked]);

    let new = NewDelivery { to: lin, about: None, op: b"op".to_vec() };
    f.meta.request_told(asked, std::slice::from_ref(&new), 8).await.unwrap();
    f.meta.request_told(asked, &[new], 8).await.unwrap();
    assert_eq!(f.meta.deliveries(0, 10).await.unwrap().len(), 1);
    assert_eq!(listed().await, [("bo".to_owned(), 6)]);
    f.meta.ask_for_access(room, bo, 9).await.unwrap();
    assert!(untold().await.is_empty(), "one waits");

    assert!(f.meta.end_request(asked, Some(10)).await.unwrap());
    assert!(!f.meta.end_request(asked, None).await.unwrap(), "it is over");
    f.meta.ask_for_access(room, bo, 9 + ASK_AGAIN_MS).await.unwrap();
    assert!(untold().await.is_empty() && listed().await.is_empty(), "not heard");
    f.meta.ask_for_access(room, bo, 10 + ASK_AGAIN_MS).await.unwrap();
    assert_eq!(untold().await, [asked]);
}
