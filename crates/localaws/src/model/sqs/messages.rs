//! The messages of one queue: which can be received, and what do receiving, deleting and changing the visibility make of them?
//!
//! A standard queue keeps the order as well as it can; here the one that was sent first is received first, also when it comes
//! back. What a receipt handle is good for (API reference, `DeleteMessage`, `ChangeMessageVisibility`):
//! - the most recent one deletes its message, also after the visibility timeout;
//! - with an older one "the request will succeed, but the message might not be deleted". Here it never is, as a caller who
//!   relies on it has to be found out;
//! - once the message is gone, deleting it again succeeds.
//!
//! The visibility can be changed only while the message is in flight by that very handle: else the API's documented
//! `MessageNotInflight`, and for a message that is gone `InvalidParameterValue`, as the service has been seen to answer
//! (aws-sdk-net, issue 1927).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::sqs::message::{Message, MessageCounts, MessageState};
use crate::model::sqs::receipt::Receipt;

/// Twelve hours from the receive on, in all.
const LONGEST_HIDDEN: Duration = Duration::from_hours(12);

/// The messages by the number at which they were sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages {
    all: BTreeMap<u64, Message>,
}

/// Why a visibility timeout stays as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unchanged {
    Gone,
    NotInFlight,
    TooLong,
}

impl Messages {
    pub(crate) fn put(&mut self, number: u64, message: Message) {
        self.all.insert(number, message);
    }

    pub(crate) fn take(&mut self, number: u64) -> Option<Message> {
        self.all.remove(&number)
    }

    /// The numbers of those that can be received now.
    pub(crate) fn visible(&self, now: Duration) -> Vec<u64> {
        let visible = |(number, message): (&u64, &Message)| (message.visible_at <= now).then_some(*number);
        self.all.iter().filter_map(visible).collect()
    }

    /// How often a message was received in this queue.
    pub(crate) fn received_here(&self, number: u64) -> u32 {
        self.all.get(&number).map_or(0, |message| message.received_here)
    }

    /// Receives one message and hides it for this long.
    pub(crate) fn receive(&mut self, number: u64, hidden: Duration, now: Duration) -> Option<Message> {
        let message = self.all.get_mut(&number)?;
        message.receive(hidden, now);
        Some(message.clone())
    }

    /// Deletes the message of the most recent receive.
    pub(crate) fn delete(&mut self, receipt: &Receipt) {
        if self.all.get(&receipt.message).is_some_and(|message| message.receive_count == receipt.receive) {
            self.all.remove(&receipt.message);
        }
    }

    /// Hides a message in flight for this long from now on.
    pub(crate) fn change_visibility(
        &mut self,
        receipt: &Receipt,
        hidden: Duration,
        now: Duration,
    ) -> Result<(), Unchanged> {
        let message = self.all.get_mut(&receipt.message).ok_or(Unchanged::Gone)?;
        let received_at = message.received_at.filter(|_| message.state(now) == MessageState::InFlight);
        let received_at = received_at.filter(|_| message.receive_count == receipt.receive);
        let received_at = received_at.ok_or(Unchanged::NotInFlight)?;
        let visible_at = now.saturating_add(hidden);
        if visible_at > received_at.saturating_add(LONGEST_HIDDEN) {
            return Err(Unchanged::TooLong);
        }
        message.visible_at = visible_at;
        Ok(())
    }

    /// Those that are kept, the oldest first.
    pub(crate) fn kept(&self, retention: Duration, now: Duration) -> impl Iterator<Item = &Message> {
        self.all.values().filter(move |message| is_kept(message, retention, now))
    }

    pub(crate) fn counts(&self, retention: Duration, now: Duration) -> MessageCounts {
        self.kept(retention, now).fold(MessageCounts::default(), |counts, message| counts.add(message.state(now)))
    }

    /// When the next of those that are hidden or delayed can be received.
    pub(crate) fn next_visible(&self, now: Duration) -> Option<Duration> {
        self.all.values().map(|message| message.visible_at).filter(|at| *at > now).min()
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
    }

    /// Forgets what was sent too long ago.
    pub(crate) fn forget_the_old(&mut self, retention: Duration, now: Duration) {
        self.all.retain(|_, message| is_kept(message, retention, now));
    }
}

fn is_kept(message: &Message, retention: Duration, now: Duration) -> bool {
    message.sent_at.saturating_add(retention) > now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn with(messages: u64) -> Messages {
        let mut all = Messages::default();
        for number in 1..=messages {
            all.put(number, Message::new(number, "{}", Duration::ZERO, at(0)));
        }
        all
    }

    fn receipt(message: u64, receive: u32) -> Receipt {
        Receipt { queue: "notices".to_owned(), message, receive }
    }

    #[test]
    fn a_received_message_is_hidden_and_comes_back_in_its_place() {
        let mut messages = with(2);
        let received = messages.receive(1, at(30), at(10)).unwrap();
        assert_eq!((received.receive_count, received.first_received_at), (1, Some(at(10))));
        assert_eq!(messages.visible(at(39)), [2]);
        assert_eq!(messages.next_visible(at(39)), Some(at(40)));
        assert_eq!(messages.visible(at(40)), [1, 2]);
        let again = messages.receive(1, at(30), at(50)).unwrap();
        assert_eq!((again.receive_count, again.first_received_at), (2, Some(at(10))));
    }

    #[test]
    fn the_most_recent_handle_deletes_also_after_the_timeout() {
        let mut messages = with(1);
        messages.receive(1, at(30), at(0));
        messages.delete(&receipt(1, 1));
        assert!(messages.all.is_empty());
        messages.delete(&receipt(1, 1));
    }

    #[test]
    fn an_older_handle_deletes_nothing() {
        let mut messages = with(1);
        messages.receive(1, at(30), at(0));
        messages.receive(1, at(30), at(30));
        messages.delete(&receipt(1, 1));
        assert_eq!(messages.all.len(), 1);
        messages.delete(&receipt(1, 2));
        assert!(messages.all.is_empty());
    }

    #[test]
    fn the_visibility_of_a_message_in_flight_counts_from_the_change() {
        let mut messages = with(1);
        messages.receive(1, at(30), at(0));
        messages.change_visibility(&receipt(1, 1), at(60), at(20)).unwrap();
        assert_eq!((messages.visible(at(79)), messages.visible(at(80))), (vec![], vec![1]));
    }

    #[test]
    fn a_message_that_is_not_in_flight_stays_as_it_is() {
        let mut messages = with(2);
        messages.receive(1, at(30), at(0));
        messages.receive(1, at(30), at(40));
        let table = [
            (receipt(1, 1), at(0), at(41), Unchanged::NotInFlight),
            (receipt(1, 2), at(0), at(70), Unchanged::NotInFlight),
            (receipt(2, 0), at(0), at(41), Unchanged::NotInFlight),
            (receipt(3, 1), at(0), at(41), Unchanged::Gone),
            (receipt(1, 2), at(43_200), at(41), Unchanged::TooLong),
        ];
        for (receipt, hidden, now, why) in table {
            assert_eq!(messages.change_visibility(&receipt, hidden, now), Err(why), "{receipt}");
        }
    }

    #[test]
    fn each_message_is_counted_in_its_state() {
        let mut messages = with(3);
        messages.put(4, Message::new(4, "{}", at(10), at(0)));
        messages.receive(1, at(5), at(0));
        assert_eq!(messages.counts(at(99), at(0)), MessageCounts { visible: 2, in_flight: 1, delayed: 1 });
        assert_eq!(messages.counts(at(99), at(10)), MessageCounts { visible: 4, in_flight: 0, delayed: 0 });
    }

    #[test]
    fn a_message_is_kept_only_so_long() {
        let mut messages = with(1);
        messages.forget_the_old(at(60), at(59));
        assert_eq!(messages.all.len(), 1);
        assert_eq!(messages.kept(at(60), at(60)).count(), 0);
        messages.forget_the_old(at(60), at(60));
        assert!(messages.all.is_empty());
    }
}
