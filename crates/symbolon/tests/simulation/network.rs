//! What lies between guards, clients and nodes: delay, partitions one way or both, requests that arrive
//! twice or late, streams that stall, break, lose or mix up what they carry.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture, stream};
use http::{Request, Response, header};
use symbolon_guard::{Transport, Undelivered};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use crate::{
    cell::{Gone, Node},
    chance::{Chance, Dice},
};

/// After this long without a sign from the other side a connection is given up.
const GIVEN_UP: Duration = Duration::from_secs(15);

/// How often those who wait for a link look at it: no divisor of other pauses.
const LOOK_EVERY: Duration = Duration::from_millis(47);

/// Who speaks to nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Party {
    Guard(usize),
    Clients,
}

/// How it is between one party and one node.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a row of switches")]
pub(crate) struct Link {
    /// Whether what is said arrives at the node.
    pub(crate) there: bool,
    /// Whether answers come back.
    pub(crate) back: bool,
    /// Whether streams flow, where answers come back.
    pub(crate) streams: bool,
    /// Whether anything but streams passes.
    pub(crate) questions: bool,
    /// The longest delay of one direction, in milliseconds.
    pub(crate) delay: u64,
    /// How many requests in a thousand arrive once more, later.
    pub(crate) twice: u64,
    /// How many pieces of a stream in a thousand are lost, come twice, or change places.
    pub(crate) mangled: u64,
    /// Streams that were opened before this was counted up are cut.
    pub(crate) cuts: u64,
}

impl Link {
    pub(crate) const FINE: Self = Self {
        there: true,
        back: true,
        streams: true,
        questions: true,
        delay: 5,
        twice: 0,
        mangled: 0,
        cuts: 0,
    };
}

/// All links.
pub(crate) struct Network {
    nodes: Vec<Arc<Node>>,
    links: Mutex<HashMap<(Party, usize), Link>>,
    dice: Dice,
}

impl Network {
    pub(crate) fn new(nodes: Vec<Arc<Node>>, dice: &Dice) -> Arc<Self> {
        Arc::new(Self {
            nodes,
            links: Mutex::default(),
            dice: dice.clone(),
        })
    }

    pub(crate) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    pub(crate) fn change(&self, party: Party, node: usize, change: impl FnOnce(&mut Link)) {
        let mut links = self.links.lock().unwrap();
        change(links.entry((party, node)).or_insert(Link::FINE));
    }

    fn link(&self, (party, node): (Party, usize)) -> Link {
        let links = self.links.lock().unwrap();
        links.get(&(party, node)).copied().unwrap_or(Link::FINE)
    }

    /// Waits until the link is as wished. Asked again and again: those who are woken by the same news come
    /// in no certain order.
    async fn until(&self, ends: (Party, usize), wish: impl Fn(&Link) -> bool) {
        while !wish(&self.link(ends)) {
            sleep(LOOK_EVERY).await;
        }
    }

    /// Asks a node and waits for the answer's head.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        party: Party,
        node: usize,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, Undelivered> {
        // What has been sent arrives whether or not the sender still waits.
        let exchange = Arc::clone(self).exchange(party, node, request);
        let exchange = tokio::spawn(exchange).await;
        exchange.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
    }

    async fn exchange(
        self: Arc<Self>,
        party: Party,
        at: usize,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, Undelivered> {
        let ends = (party, at);
        let chance = self.dice.of((ends, signature(&request)));
        let node = Arc::clone(&self.nodes[at]);
        let is_stream = request.uri().path() == "/feed";
        let open = |link: &Link| link.there && (link.questions || is_stream);
        self.travel(&chance, ends, open).await?;
        if chance.happens(self.link(ends).twice) {
            let (node, request) = (Arc::clone(&node), request.clone());
            let later = chance.millis(0, 3_000);
            tokio::spawn(async move {
                sleep(later).await;
                let _ = node.serve(request).await;
            });
        }
        let answer = node.serve(request).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(Gone::Crashed) if !node.tells() => {
                sleep(GIVEN_UP).await;
                return Err(lost("no sign of life", false));
            }
            Err(Gone::Crashed) => return Err(lost("connection reset", false)),
            Err(Gone::Refused) => return Err(lost("connection refused", true)),
        };
        let is_stream = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if is_stream {
            self.travel(&chance, ends, |link| link.back && link.streams)
                .await?;
            return Ok(self.flow(&node, ends, chance, answer));
        }
        let (head, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        self.travel(&chance, ends, |link| link.back && link.questions)
            .await?;
        Ok(Response::from_parts(head, Body::from(body)))
    }

    /// Passes one direction: some delay, and longer where it is cut.
    async fn travel(
        &self,
        chance: &Chance,
        ends: (Party, usize),
        is_open: impl Fn(&Link) -> bool,
    ) -> Result<(), Undelivered> {
        let delay = chance.millis(0, self.link(ends).delay);
        sleep(delay).await;
        if is_open(&self.link(ends)) {
            return Ok(());
        }
        // Half of what was under way is sent again when the way is open, the other half is lost.
        if chance.happens(500) {
            let opened = timeout(GIVEN_UP, self.until(ends, is_open)).await;
            if opened.is_ok() {
                sleep(delay).await;
                return Ok(());
            }
        } else {
            sleep(GIVEN_UP).await;
        }
        Err(lost("nothing comes through", false))
    }

    /// Lets a stream flow over the link, piece by piece and in order, unless it is mangled.
    fn flow(
        self: &Arc<Self>,
        node: &Arc<Node>,
        ends: (Party, usize),
        chance: Chance,
        answer: Response<Body>,
    ) -> Response<Body> {
        let (head, body) = answer.into_parts();
        let (from_node, mut pieces) = mpsc::channel::<Bytes>(1_024);
        let source = Arc::clone(node);
        // Read within the node's life: it breaks off with it.
        tokio::spawn(async move {
            let reading = async move {
                let mut body = body.into_data_stream();
                while let Some(Ok(piece)) = body.next().await {
                    if from_node.send(piece).await.is_err() {
                        break;
                    }
                }
            };
            let _ = source.run(reading).await;
        });
        let (to_guard, arrived) = mpsc::channel::<Bytes>(1_024);
        let (network, node) = (Arc::clone(self), Arc::clone(node));
        tokio::spawn(async move {
            let cuts = network.link(ends).cuts;
            let carrying = network.carry(&chance, ends, &mut pieces, &to_guard);
            let is_cut = network.until(ends, |link| link.cuts > cuts);
            tokio::select! {
                biased;
                () = is_cut => return,
                () = to_guard.closed() => return,
                () = carrying => {}
            }
            // The node ended it, or it died: then its word may be missing.
            if !node.is_up() && !node.tells() {
                let _ = timeout(4 * GIVEN_UP, to_guard.closed()).await;
            }
        });
        let pieces = stream::unfold(arrived, async |mut arrived| {
            let piece = arrived.recv().await?;
            Some((Ok::<_, Infallible>(piece), arrived))
        });
        Response::from_parts(head, Body::from_stream(pieces))
    }

    async fn carry(
        &self,
        chance: &Chance,
        ends: (Party, usize),
        pieces: &mut mpsc::Receiver<Bytes>,
        to_guard: &mpsc::Sender<Bytes>,
    ) {
        let mut kept_back: Option<Bytes> = None;
        while let Some(piece) = pieces.recv().await {
            let delay = chance.millis(0, self.link(ends).delay);
            sleep(delay).await;
            self.until(ends, |link| link.back && link.streams).await;
            let mangled = self.link(ends).mangled;
            let mut out = vec![piece];
            if chance.happens(mangled) {
                match chance.below(3) {
                    0 => out.clear(),
                    1 => out.push(out[0].clone()),
                    _ => kept_back = out.pop().or(kept_back),
                }
            } else {
                out.extend(kept_back.take());
            }
            for piece in out {
                if to_guard.send(piece).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What a request is in every run: without signatures and names of keys, which the crypto library draws by
/// itself, and the guard's own name.
fn signature(request: &Request<Bytes>) -> String {
    let shown = request.headers().get(header::AUTHORIZATION);
    let shown = shown.map_or("", |value| value.to_str().unwrap());
    let position = request.headers().get("last-event-id");
    let body = std::str::from_utf8(request.body()).unwrap();
    let same = |text: &str| text.split('.').nth(1).unwrap_or(text).to_owned();
    format!(
        "{} {} {} {} {position:?}",
        request.method(),
        request.uri().path(),
        same(shown),
        same(body),
    )
}

fn lost(what: &str, not_done: bool) -> Undelivered {
    Undelivered {
        what: what.to_owned(),
        not_done,
    }
}

/// A guard's way into the network: the node is in the URL's host.
pub(crate) struct Wire {
    pub(crate) network: Arc<Network>,
    pub(crate) guard: usize,
}

impl Transport for Wire {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'static, Result<Response<Body>, Undelivered>> {
        let network = Arc::clone(&self.network);
        let party = Party::Guard(self.guard);
        let host = request.uri().host().unwrap();
        let node = host.strip_prefix("node-").unwrap().parse().unwrap();
        Box::pin(async move { network.ask(party, node, request).await })
    }
}
