//! The messages of one queue: receiving, deleting, and changing the visibility.
//!
//! A standard queue preserves the order as far as possible; here messages are always received in the order of sending. The
//! effect of a receipt handle (API reference, `DeleteMessage`, `ChangeMessageVisibility`):
//! - the most recent one deletes its message, also after the visibility timeout;
//! - with an older one "the request will succeed, but the message might not be deleted". Here it never is, so that tests
//!   detect a caller that relies on it;
//! - deleting a message again succeeds.
//!
//! Only the handle of the present receive can change the visibility, while the message is in flight. Otherwise the error is
//! `MessageNotInflight`, as documented, and for a deleted message `InvalidParameterValue`, as observed (aws-sdk-net, issue
//! 1927).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::sqs::message::{Message, MessageCounts, MessageState};
use crate::model::sqs::receipt::Receipt;

/// The maximum total visibility timeout, counted from the receive.
const MAX_HIDDEN: Duration = Duration::from_hours(12);

/// Messages by their number in the order of sending. The indexes make a receive from a queue of ten thousand messages as fast as
/// one from a short queue.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages {
    all: BTreeMap<u64, Message>,
    /// The messages that were visible at the last receive.
    visible: BTreeSet<u64>,
    /// The same messages by their receive count.
    visible_by_receives: BTreeSet<(u32, u64)>,
    /// The other messages, by the time at which they become visible.
    hidden: BTreeSet<(Duration, u64)>,
}

/// Why a visibility timeout cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unchanged {
    Gone,
    NotInFlight,
    TooLong,
}

impl Messages {
    pub(crate) fn put(&mut self, number: u64, message: Message) {
        self.hidden.insert((message.visible_at, number));
        self.all.insert(number, message);
    }

    pub(crate) fn take(&mut self, number: u64) -> Option<Message> {
        let message = self.all.remove(&number)?;
        self.hidden.remove(&(message.visible_at, number));
        self.visible.remove(&number);
        self.visible_by_receives.remove(&(message.received_here, number));
        Some(message)
    }

    /// Notes which messages have become visible.
    fn advance(&mut self, now: Duration) {
        while let Some((at, number)) = self.hidden.first().copied().filter(|(at, _)| *at <= now) {
            self.hidden.remove(&(at, number));
            self.visible.insert(number);
            if let Some(message) = self.all.get(&number) {
                self.visible_by_receives.insert((message.received_here, number));
            }
        }
    }

    /// The numbers of at most `most` visible messages, oldest first.
    pub(crate) fn visible(&mut self, most: usize, now: Duration) -> Vec<u64> {
        self.advance(now);
        self.visible.iter().take(most).copied().collect()
    }

    /// The numbers of the visible messages that this queue has delivered at least `receives` times.
    pub(crate) fn delivered(&mut self, receives: u32, now: Duration) -> Vec<u64> {
        self.advance(now);
        self.visible_by_receives.range((receives, 0)..).map(|(_, number)| *number).collect()
    }

    /// Receives one message, and hides it for `hidden`.
    pub(crate) fn receive(&mut self, number: u64, hidden: Duration, now: Duration) -> Option<Message> {
        let mut message = self.take(number)?;
        message.receive(hidden, now);
        self.put(number, message.clone());
        Some(message)
    }

    /// Deletes the message of the most recent receive.
    pub(crate) fn delete(&mut self, receipt: &Receipt) {
        if self.all.get(&receipt.message).is_some_and(|message| message.receive_count == receipt.receive) {
            self.take(receipt.message);
        }
    }

    /// Hides a message in flight for `hidden` from now on.
    pub(crate) fn change_visibility(
        &mut self,
        receipt: &Receipt,
        hidden: Duration,
        now: Duration,
    ) -> Result<(), Unchanged> {
        let message = self.all.get(&receipt.message).ok_or(Unchanged::Gone)?;
        let received_at = message.received_at.filter(|_| message.state(now) == MessageState::InFlight);
        let received_at = received_at.filter(|_| message.receive_count == receipt.receive);
        let received_at = received_at.ok_or(Unchanged::NotInFlight)?;
        let visible_at = now.saturating_add(hidden);
        if visible_at > received_at.saturating_add(MAX_HIDDEN) {
            return Err(Unchanged::TooLong);
        }
        if let Some(message) = self.take(receipt.message) {
            self.put(receipt.message, Message { visible_at, ..message });
        }
        Ok(())
    }

    /// The messages within their retention period, oldest first.
    pub(crate) fn kept(&self, retention: Duration, now: Duration) -> impl Iterator<Item = &Message> {
        self.all.values().filter(move |message| is_kept(message, retention, now))
    }

    pub(crate) fn counts(&self, retention: Duration, now: Duration) -> MessageCounts {
        self.kept(retention, now).fold(MessageCounts::default(), |counts, message| counts.add(message.state(now)))
    }

    /// When the next hidden or delayed message becomes visible.
    pub(crate) fn next_visible(&self, now: Duration) -> Option<Duration> {
        self.hidden.range((now, u64::MAX)..).next().map(|(at, _)| *at)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Removes messages whose retention period has passed: the oldest have the lowest numbers.
    pub(crate) fn remove_expired(&mut self, retention: Duration, now: Duration) {
        let expired = |(_, message): &(&u64, &Message)| !is_kept(message, retention, now);
        while let Some((number, _)) = self.all.first_key_value().filter(expired) {
            self.take(*number);
        }
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
    fn a_received_message_is_hidden_and_keeps_its_place() {
        let mut messages = with(2);
        let received = messages.receive(1, at(30), at(10)).unwrap();
        assert_eq!((received.receive_count, received.first_received_at), (1, Some(at(10))));
        assert_eq!(messages.visible(9, at(39)), [2]);
        assert_eq!(messages.next_visible(at(39)), Some(at(40)));
        assert_eq!(messages.visible(9, at(40)), [1, 2]);
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
        assert_eq!((messages.visible(9, at(79)), messages.visible(9, at(80))), (vec![], vec![1]));
    }

    #[test]
    fn a_message_that_is_not_in_flight_is_not_changed() {
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
    fn a_message_is_kept_for_its_retention_period() {
        let mut messages = with(1);
        messages.remove_expired(at(60), at(59));
        assert_eq!(messages.all.len(), 1);
        assert_eq!(messages.kept(at(60), at(60)).count(), 0);
        messages.remove_expired(at(60), at(60));
        assert!(messages.all.is_empty());
    }
}
