//! Apps behind their guards, as their processes live and die.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, routing::get};
use http::{HeaderMap, Request, Response, header};
use symbolon_guard::{Fault, Freshness, Guard, GuardMakeService, GuardService, Identity};
use tower::{Service, ServiceExt};

use crate::{
    cell::ISSUER,
    history::{Event, History},
    network::{Network, Wire},
    world::Machine,
};

/// The routes, and what they demand. The app itself wants ten seconds.
pub(crate) const ROUTES: [(&str, &str); 3] = [
    ("/page", "within(10s)"),
    ("/admin", "within(1s)"),
    ("/pay", "live"),
];

/// The header by which a handler knows the number of its request.
pub(crate) const NUMBER: &str = "x-number";

/// One app's process with its guard.
pub(crate) struct AppNode {
    pub(crate) name: usize,
    pub(crate) client_id: &'static str,
    pub(crate) machine: Arc<Machine>,
    network: Arc<Network>,
    history: History,
    fault: Option<Fault>,
    life: Mutex<(u32, Option<Process>)>,
}

/// One life: the app, and a connection for each browser, which sends one `Cookie` header until it gets another.
struct Process {
    app: GuardMakeService,
    connections: HashMap<Vec<u8>, GuardService<Router>>,
}

impl AppNode {
    pub(crate) fn new(
        name: usize,
        client_id: &'static str,
        machine: Arc<Machine>,
        network: &Arc<Network>,
        history: &History,
        fault: Option<Fault>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            client_id,
            machine,
            network: Arc::clone(network),
            history: history.clone(),
            fault,
            life: Mutex::new((0, None)),
        })
    }

    /// Starts the process, or starts it anew: it has forgotten everything.
    pub(crate) fn start(&self) {
        let mut builder = Guard::builder("https://node-0", self.client_id)
            .issuer(ISSUER)
            .public_url("https://app.example.test")
            .transport(Wire {
                network: Arc::clone(&self.network),
                guard: self.name,
            })
            .dangerous_world(self.machine.clone());
        for node in self.network.nodes().iter().skip(1) {
            builder = builder.or_at(format!("https://node-{}", node.name));
        }
        if let Some(fault) = self.fault {
            builder = builder.dangerous_fault(fault);
        }
        let app = self.app(&builder.start().unwrap());
        let connections = HashMap::new();
        let mut life = self.life.lock().unwrap();
        *life = (life.0 + 1, Some(Process { app, connections }));
        self.history.weather(format!("guard {} starts", self.name));
    }

    fn app(&self, guard: &Guard) -> GuardMakeService {
        let mut router = Router::new();
        for (path, freshness) in ROUTES {
            let history = self.history.clone();
            let handler = async move |_: Identity, headers: HeaderMap| {
                let number = headers[NUMBER].to_str().unwrap().parse().unwrap();
                history.note(Event::Yes { number });
            };
            let freshness: Freshness = freshness.parse().unwrap();
            let mut route = get(handler);
            // What the app itself wants is judged outside alone, where a connection remembers.
            if freshness != Freshness::DEFAULT {
                route = route.layer(guard.layer().freshness(freshness));
            }
            router = router.route(path, route);
        }
        guard.layer().around(router)
    }

    /// Which life of its process this is.
    pub(crate) fn life(&self) -> u32 {
        self.life.lock().unwrap().0
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> Response<Body> {
        let connection = {
            let mut life = self.life.lock().unwrap();
            let Process { app, connections } = life.1.as_mut().unwrap();
            let cookie = request.headers().get(header::COOKIE);
            let browser = cookie.map_or(&[][..], |cookie| cookie.as_bytes());
            let connect = || Service::<()>::call(app, ()).into_inner().unwrap();
            let connection = connections.entry(browser.to_vec());
            connection.or_insert_with(connect).clone()
        };
        connection.oneshot(request).await.unwrap()
    }
}
