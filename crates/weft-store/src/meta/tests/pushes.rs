//! Browsers to which notices are pushed, and letters that are due: what falls due, once, and what ends that.

use super::*;

const CLAIMED_UNTIL: Millis = 1_000;

fn subscription(endpoint: &str) -> PushSubscription {
    PushSubscription { endpoint: endpoint.to_owned(), public_key: vec![4; 65], auth: [5; 16] }
}

impl Fixture {
    /// Somebody who is signed in with that token, and is told at that address.
    async fn told_at(&self, person: PersonId, token: u8, endpoint: &str) {
        self.meta.create_sign_in(new_sign_in(token, person), 5).await.unwrap();
        self.meta.subscribe(&[token; 32], person, &subscription(endpoint), 7).await.unwrap();
    }

    /// Something new is in the inbox: the number of its delivery.
    async fn tell(&self, person: PersonId, letter_due: Option<Millis>) -> u64 {
        let new = NewDelivery { to: person, about: None, op: b"op".to_vec() };
        self.meta.post(&[new], 5).await.unwrap();
        let id = self.meta.deliveries(0, 10).await.unwrap()[0].id;
        let told = ToldOf { person, at: 20, letter_due };
        self.meta.delivered(id, Some(&told)).await.unwrap();
        id
    }

    async fn due(&self, now: Millis) -> Vec<DuePush> {
        self.meta.claim_pushes(10, CLAIMED_UNTIL, now).await.unwrap()
    }

    async fn is_told(&self, token: u8) -> bool {
        self.meta.subscribed(&[token; 32]).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn a_browser_is_due_for_a_notice_until_somebody_has_seen_to_it() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    f.told_at(lin, 1, "https://push/lin").await;
    f.told_at(bo, 2, "https://push/bo").await;
    assert_eq!(f.due(20).await, []);
    let first = f.tell(lin, None).await;
    assert_eq!(f.due(19).await, []);
    let due = f.due(20).await;
    let expected = DuePush {
        sign_in: [1; 32],
        person: lin,
        subscription: subscription("https://push/lin"),
        told_to: 7,
        wanted_to: first,
        tries: 0,
    };
    assert_eq!(due, std::slice::from_ref(&expected));
    // Claimed, but whoever claimed it is gone.
    assert_eq!(f.due(CLAIMED_UNTIL - 1).await, []);
    assert_eq!(f.due(CLAIMED_UNTIL).await, due);
    f.meta.push_put_off(&due[0], 3_000).await.unwrap();
    assert_eq!(f.due(2_999).await, []);
    assert_eq!(f.due(3_000).await, [DuePush { tries: 1, ..expected.clone() }]);

    // What comes while it is being told is due afterwards.
    let second = f.tell(lin, None).await;
    f.meta.pushed(&due[0], 8, 3_001).await.unwrap();
    let due = f.due(3_001).await;
    assert_eq!(due, [DuePush { told_to: 8, wanted_to: second, ..expected }]);
    f.meta.pushed(&due[0], 9, 3_002).await.unwrap();
    assert_eq!(f.due(u64::MAX).await, []);
}

#[tokio::test]
async fn however_a_sign_in_ends_its_browser_is_told_nothing_more() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    for token in 1..=5 {
        f.told_at(lin, token, &format!("https://push/{token}")).await;
    }
    f.told_at(bo, 6, "https://push/6").await;
    f.meta.sign_out(&[1; 32]).await.unwrap();
    f.meta.end_sign_in(lin, sign_in_id(&[2; 32])).await.unwrap();
    assert_eq!((f.is_told(1).await, f.is_told(2).await, f.is_told(3).await), (false, false, true));
    f.meta.end_other_sign_ins(lin, &[4; 32]).await.unwrap();
    assert_eq!((f.is_told(3).await, f.is_told(4).await, f.is_told(5).await), (false, true, false));
    f.meta.deactivate(lin, 6).await.unwrap();
    assert!(!f.is_told(4).await);
    // One that nobody uses any more is not ended, but is over.
    f.tell(bo, None).await;
    assert_eq!(f.due(31 * DAY).await, []);
    assert!(!f.is_told(6).await);
}

#[tokio::test]
async fn a_browser_is_one_sign_ins_and_what_is_said_of_its_old_address_is_void() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    f.told_at(lin, 1, "https://push/shared").await;
    f.tell(lin, None).await;
    let due = f.due(20).await;
    // Whoever sits there now is told, and nobody else.
    f.told_at(bo, 2, "https://push/shared").await;
    assert!(!f.is_told(1).await && f.is_told(2).await);
    f.meta.pushed(&due[0], 9, 21).await.unwrap();

    f.tell(bo, None).await;
    let due = f.due(20).await;
    f.meta.subscribe(&[2; 32], bo, &subscription("https://push/other"), 50).await.unwrap();
    f.meta.push_ended(&due[0]).await.unwrap();
    f.meta.pushed(&due[0], 9, 21).await.unwrap();
    // Nothing of what it was due for is lost by its moving.
    let again = f.due(CLAIMED_UNTIL).await;
    assert_eq!((again[0].told_to, &*again[0].subscription.endpoint), (7, "https://push/other"));
    f.meta.push_ended(&again[0]).await.unwrap();
    assert!(!f.is_told(2).await);
    f.told_at(bo, 3, "https://push/bo").await;
    f.meta.unsubscribe(&[3; 32]).await.unwrap();
    assert!(!f.is_told(3).await);
}

#[tokio::test]
async fn the_key_of_push_is_made_once() {
    let f = Fixture::new().await;
    assert_eq!(f.meta.push_key(&[0xa1; 32]).await.unwrap(), [0xa1; 32]);
    assert_eq!(f.meta.push_key(&[2; 32]).await.unwrap(), [0xa1; 32]);
}

#[tokio::test]
async fn what_comes_while_a_letter_is_being_sent_is_in_the_next_one() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    let write = f.meta.write().await.unwrap();
    people::verify_address(&write.txn, lin).await.unwrap();
    write.commit("verify an address").await.unwrap();
    f.tell(lin, Some(100)).await;
    let due = f.meta.due_digests(100, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    f.tell(lin, Some(200)).await;
    f.meta.digest_sent(&due[0], Some(1), 101).await.unwrap();
    // Not before a day has passed.
    assert_eq!(f.meta.due_digests(100 + DAY, 10).await.unwrap(), []);
    let due = f.meta.due_digests(101 + DAY, 10).await.unwrap();
    assert_eq!(due[0].mailed_to, 1);
    f.meta.digest_sent(&due[0], None, 102 + DAY).await.unwrap();
    assert_eq!(f.meta.due_digests(u64::MAX, 10).await.unwrap(), []);
}
