//! Fan-out across servers: in each session one person publishes on the first server, and the other has
//! several devices at the last. An operation is a delivery to one of those devices.
//!
//! Every delivery is accounted for: a message that a device does not get in time is lost, one that it
//! gets again is doubled.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Error, ensure};
use futures_util::future::try_join_all;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{Scenario, World};
use crate::fixture::Session;
use crate::load::{Pace, Place, Task, Ticks};
use crate::peers::line::{Line, Person};
use crate::recorder::Recorder;
use crate::results::Round;
use crate::side::Side;
use crate::texts;

/// Devices are bits of a number.
const DEVICES_MAX: usize = 64;
/// How long duplicates are waited for when everything has arrived.
const AFTERMATH: Duration = Duration::from_millis(300);

pub(super) async fn round(world: &World, side: &Side) -> Result<Round, Error> {
    ensure!(
        (1..=DEVICES_MAX).contains(&world.devices),
        "1 to {DEVICES_MAX} devices"
    );
    let sessions = world.fixture.some_sessions(world.load.connections)?;
    let talks = sessions
        .iter()
        .map(|session| Talk::open(world, side, session));
    let talks = try_join_all(talks).await?;
    let (mut publishers, devices): (Vec<Publisher>, Vec<Vec<Device>>) = talks
        .into_iter()
        .map(|it| (it.publisher, it.devices))
        .unzip();
    let books: Vec<Rc<Book>> = publishers.iter().map(|it| it.book.clone()).collect();
    let listening = try_join_all(devices.into_iter().flatten().map(Device::listen));
    let publishing = async {
        let round = world.load.measure(side, &mut publishers).await;
        tokio::time::sleep(AFTERMATH).await;
        round
    };
    let mut round = tokio::select! {
        round = publishing => round?,
        broken = listening => return Err(broken.err().unwrap_or_else(|| Error::msg("all hung up"))),
    };
    let sum = |pick: fn(&Account) -> u64| {
        books
            .iter()
            .map(|it| pick(&it.account.borrow()))
            .sum::<u64>()
    };
    round
        .figures
        .insert("lost".into(), sum(|it| it.lost) as f64);
    round
        .figures
        .insert("duplicated".into(), sum(|it| it.duplicated) as f64);
    Ok(round)
}

/// A session with everybody on the line.
struct Talk {
    publisher: Publisher,
    devices: Vec<Device>,
}

impl Talk {
    async fn open(world: &World, side: &Side, session: &Session) -> Result<Self, Error> {
        let run = world.run_id();
        let open = |address, person| Line::open(side.speaks, address, &world.mint, person, run);
        let book = Rc::new(Book::new(world.devices));
        let mut devices = Vec::with_capacity(world.devices);
        for number in 0..world.devices {
            devices.push(Device {
                line: open(side.last()?, Person::mitra_of(session)).await?,
                number,
                session: session.id.to_string(),
                book: book.clone(),
            });
        }
        let publisher = Publisher {
            line: open(side.first()?, Person::customer_of(session)).await?,
            count: 0,
            book,
        };
        Ok(Self { publisher, devices })
    }
}

/// What became of the messages of a session.
struct Book {
    all_devices: u64,
    account: RefCell<Account>,
    /// Turned when every device has a message.
    complete: Notify,
}

#[derive(Default)]
struct Account {
    open: HashMap<u64, Published>,
    duplicated: u64,
    lost: u64,
}

struct Published {
    intended: Instant,
    recorder: Recorder,
    got_by: u64,
}

impl Book {
    fn new(devices: usize) -> Self {
        Self {
            all_devices: u64::MAX >> (DEVICES_MAX - devices),
            account: RefCell::default(),
            complete: Notify::new(),
        }
    }

    fn publish(&self, number: u64, intended: Instant, recorder: &Recorder) {
        let published = Published {
            intended,
            recorder: recorder.clone(),
            got_by: 0,
        };
        self.account.borrow_mut().open.insert(number, published);
    }

    /// A device has a message. One that is closed already was complete, or given up.
    fn receive(&self, number: u64, device: usize) {
        let mut account = self.account.borrow_mut();
        let account = &mut *account;
        let bit = 1 << device;
        match account.open.get_mut(&number) {
            Some(published) if published.got_by & bit == 0 => {
                published.got_by |= bit;
                published.recorder.done(published.intended);
                if published.got_by == self.all_devices {
                    account.open.remove(&number);
                    self.complete.notify_one();
                }
            }
            _ => account.duplicated += 1,
        }
    }

    fn is_settled(&self) -> bool {
        self.account.borrow().open.is_empty()
    }

    /// What is still open is lost.
    fn give_up(&self) {
        let mut account = self.account.borrow_mut();
        let missing = |it: &Published| u64::from((self.all_devices & !it.got_by).count_ones());
        let lost: u64 = account.open.values().map(missing).sum();
        account.lost += lost;
        account.open.clear();
    }
}

/// Somebody's further device.
struct Device {
    line: Line,
    number: usize,
    session: String,
    book: Rc<Book>,
}

impl Device {
    async fn listen(mut self) -> Result<(), Error> {
        loop {
            let frame = self.line.next().await?;
            // A mitra's devices hear of all its sessions.
            let number = texts::number_in(&frame).filter(|_| frame.contains(&self.session));
            if let Some(number) = number {
                self.book.receive(number, self.number);
            }
        }
    }
}

/// Who publishes in a session.
struct Publisher {
    line: Line,
    count: u64,
    book: Rc<Book>,
}

impl Task for Publisher {
    async fn work(&mut self, place: Place, pace: &Pace, recorder: &Recorder) -> Result<(), Error> {
        let mut ticks = pace.ticks(place)?;
        let mut is_over = false;
        while !is_over || !self.book.is_settled() {
            let step = self.step(&mut ticks, &mut is_over, recorder);
            match timeout(Scenario::STRAGGLERS, step).await {
                Ok(done) => done?,
                Err(_) => self.book.give_up(),
            }
        }
        Ok(())
    }
}

impl Publisher {
    async fn step(
        &mut self,
        ticks: &mut Ticks,
        is_over: &mut bool,
        recorder: &Recorder,
    ) -> Result<(), Error> {
        let may_send = !*is_over && (ticks.are_open() || self.book.is_settled());
        tokio::select! {
            tick = ticks.next(recorder), if may_send => match tick? {
                Some(intended) => {
                    self.count += 1;
                    self.book.publish(self.count, intended, recorder);
                    self.line.publish(self.count).await?;
                }
                None => *is_over = true,
            },
            // Its own copy, and the acknowledgement.
            frame = self.line.next() => drop(frame?),
            () = self.book.complete.notified() => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delivery_is_accounted_for() {
        let (book, recorder) = (Book::new(3), Recorder::new());
        book.publish(1, Instant::now(), &recorder);
        book.publish(2, Instant::now(), &recorder);
        for device in [0, 1, 2, 2] {
            book.receive(1, device);
        }
        book.receive(2, 0);
        book.receive(2, 0);
        assert!(!book.is_settled());
        book.give_up();
        let account = book.account.borrow();
        assert_eq!((account.duplicated, account.lost), (2, 2));
        assert_eq!(recorder.take().done, 4);
    }

    #[test]
    fn as_many_devices_as_there_are_bits() {
        assert_eq!(Book::new(DEVICES_MAX).all_devices, u64::MAX);
        assert_eq!(Book::new(1).all_devices, 1);
    }
}
