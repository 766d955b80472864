//! What reaches other servers happens once, on the node that took the message.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use houston::domain::message::Text;
use houston::engine::NewOutgoing;
use houston::engine::fetch::{Fetch, FetchError, FetchRequest, Fetched};
use parking_lot::Mutex;
use tokio::time::sleep;

use super::cluster::{Cluster, Node, general};

/// The internet as one node sees it: a program that answers nothing, and pages.
#[derive(Clone, Default)]
struct Internet(Arc<Mutex<Vec<String>>>);

impl Fetch for Internet {
    fn check(&self, _: &str) -> Result<(), FetchError> {
        Ok(())
    }

    fn fetch(&self, request: FetchRequest) -> BoxFuture<'static, Result<Fetched, FetchError>> {
        self.0.lock().push(request.url.clone());
        async move {
            let page = "<meta property=\"og:title\" content=\"News\">";
            Ok(Fetched {
                status: 200,
                media_type: request.json.is_none().then(|| "text/html".into()),
                disposition: None,
                encoding: None,
                url: request.url.parse().expect("an address"),
                body: match request.json {
                    Some(_) => stream::empty().boxed(),
                    None => stream::iter([Ok(Bytes::from_static(page.as_bytes()))]).boxed(),
                },
            })
        }
        .boxed()
    }
}

impl Internet {
    fn of(node: &Node) -> Self {
        let internet = Self::default();
        node.set_fetch(Arc::new(internet.clone()));
        node.set_preview_fetch(Arc::new(internet.clone()));
        internet
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.0.lock().clone();
        asked.sort();
        asked
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_posted_to_programs_and_its_links_are_fetched_by_the_node_that_took_it() {
    let cluster = Cluster::of(2).await;
    let [one, two] = cluster.nodes();
    let [of_one, of_two] = [&one, &two].map(Internet::of);
    let token = one.signs_in("Ada").await.token;
    let hook = NewOutgoing { url: "https://bot.example/hook".into(), words: Vec::new() };
    let ada = one.session_of(&token).await;
    let name = "Bot".parse().expect("a name");
    one.create_hook(&ada, &general(), name, Some(hook)).await.expect("a hook");
    let ada = two.session_of(&token).await;
    sleep(Duration::from_secs(1)).await;

    let text: Text = "https://news.example/1".parse().expect("a text");
    let (id, _) = two.post(&ada, &general(), text.clone().into()).await.expect("posted");
    sleep(Duration::from_mins(1)).await;
    assert_eq!(of_two.asked(), ["https://bot.example/hook", "https://news.example/1"]);
    // It is sent again to the other one, which knows it by now.
    one.put(&ada, &general(), &id, text.into()).await.expect("put");
    sleep(Duration::from_mins(1)).await;
    assert_eq!(of_one.asked(), [""; 0]);
    let changes = cluster.log.appended().into_iter().filter(|key| key.contains(".x."));
    assert_eq!(changes.count(), 1, "the preview is kept once");
    for node in [&one, &two] {
        let message = node.message(&ada, &general(), &id).expect("a message");
        assert!(String::from_utf8_lossy(&message).contains("News"), "{message:?}");
    }
}
