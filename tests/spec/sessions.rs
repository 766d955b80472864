//! Tests of sessions: signing in and out, names, renaming.

use rocket::http::Method;
use serde_json::json;

use crate::harness::Workspace;

#[rocket::async_test]
async fn a_display_name_is_all_it_takes() {
    let workspace = Workspace::start().await;
    let answer = workspace.visitor().post("/api/session", json!({ "display_name": " Ada " })).await;

    assert_eq!(answer.status, 201);
    let body = answer.json();
    assert_eq!(body["user"]["display_name"], "Ada");
    let token = body["token"].as_str().expect("a token");
    assert!(token.len() >= 43, "256 bits do not fit into {token:?}");
    let cookie = answer.header("Set-Cookie").expect("a cookie").to_owned();
    assert!(cookie.starts_with(&format!("session={token};")), "{cookie}");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "this was not TLS: {cookie}");

    let ada = workspace.holder_of(token);
    assert_eq!(ada.get("/api/session").await.json()["user"], body["user"]);
}

#[rocket::async_test]
async fn the_cookie_is_as_good_as_the_token() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let cookie = format!("session={}", ada.token.expect("a token"));

    let (visitor, headers) = (workspace.visitor(), [("Cookie", &*cookie)]);
    let answer = visitor.asks(Method::Get, "/api/session", &headers, "").await;

    assert_eq!(answer.json()["user"], ada.user);
}

#[rocket::async_test]
async fn a_proxys_password_does_not_stand_in_the_cookies_way() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let cookie = format!("session={}", ada.token.clone().expect("a token"));
    let with = |authorization: &'static str| {
        let (visitor, cookie) = (workspace.visitor(), cookie.clone());
        async move {
            let headers = [("Cookie", &*cookie), ("Authorization", authorization)];
            visitor.asks(Method::Get, "/api/session", &headers, "").await
        }
    };
    for anothers in ["Basic YWRhOnNlY3JldA==", "Negotiate", ""] {
        assert_eq!(with(anothers).await.json()["user"], ada.user, "{anothers:?}");
    }
    for forged in ["Bearer forged", "bearer", "Bearer "] {
        with(forged).await.refused(401, "sign-in-required");
    }
}

#[rocket::async_test]
async fn behind_tls_the_cookie_is_secure() {
    let workspace = Workspace::start().await;
    let headers = [("X-Forwarded-Proto", "https"), ("Content-Type", "application/json")];
    let body = json!({ "display_name": "Ada" }).to_string();
    let answer = workspace.visitor().asks(Method::Post, "/api/session", &headers, body).await;
    assert!(answer.header("Set-Cookie").expect("a cookie").contains("Secure"));
}

#[rocket::async_test]
async fn of_what_proxies_say_the_first_host_and_scheme_count() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for (scheme, hosts, url) in [
        ("https, http", &["chat.example, inner.example:8000"][..], "https://chat.example/links/"),
        (" http , https", &["chat.example:8443", "inner.example"], "http://chat.example:8443/"),
        (", HTTPS", &[" , chat.example"], "https://chat.example/links/"),
    ] {
        let mut headers = vec![("X-Forwarded-Proto", scheme), ("Host", "inner.example")];
        headers.extend(hosts.iter().map(|host| ("X-Forwarded-Host", *host)));
        let made = ada.asks(Method::Post, "/api/session/links", &headers, "").await;
        let made = made.json()["url"].as_str().expect("a url").to_owned();
        assert!(made.starts_with(url), "{made}");
    }
}

#[rocket::async_test]
async fn of_the_addresses_that_proxies_say_the_last_counts() {
    let workspace =
        Workspace::with(|settings| settings.merge(("ip_header", "X-Forwarded-For"))).await;
    let signs_in = async |name: String, from: &str| {
        let headers = [("X-Forwarded-For", from), ("Content-Type", "application/json")];
        let body = json!({ "display_name": name }).to_string();
        workspace.visitor().asks(Method::Post, "/api/session", &headers, body).await.status
    };
    let mut statuses = Vec::new();
    for n in 1..60 {
        let from = format!("203.0.113.{n}, 192.0.2.1:{n}");
        statuses.push(signs_in(format!("User {n}"), &from).await);
    }
    assert!(statuses.contains(&429), "whatever comes before the last address: {statuses:?}");
    let another = "192.0.2.1, [2001:db8::1]:4711";
    assert_eq!(signs_in("Another".into(), another).await, 201);
}

#[rocket::async_test]
async fn a_stranger_is_asked_to_sign_in() {
    let workspace = Workspace::start().await;
    for stranger in [workspace.visitor(), workspace.holder_of("forged")] {
        for path in ["/api/session", "/api/users", "/api/channels", "/api/events"] {
            let answer = stranger.get(path).await;
            answer.refused(401, "sign-in-required");
            assert_eq!(answer.header("WWW-Authenticate"), Some("Bearer"), "{path}");
        }
    }
}

#[rocket::async_test]
async fn a_forged_cookie_is_nobody() {
    let workspace = Workspace::start().await;
    for cookie in ["session=", "session=x", "session=%00", "session=../../etc"] {
        let (visitor, headers) = (workspace.visitor(), [("Cookie", cookie)]);
        let answer = visitor.asks(Method::Get, "/api/session", &headers, "").await;
        answer.refused(401, "sign-in-required");
    }
}

#[rocket::async_test]
async fn a_name_belongs_to_one_at_a_time() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for taken in ["Ada", "ada", " ADA ", "ａｄａ"] {
        let answer =
            workspace.visitor().post("/api/session", json!({ "display_name": taken })).await;
        let problem = answer.refused(409, "display-name-taken");
        assert_eq!(problem["field"], "display_name");
        assert_eq!(problem["detail"], "Somebody here is already called that.");
    }

    let signed_out = ada.delete("/api/session").await;
    assert_eq!(signed_out.status, 204);
    let cookie = signed_out.header("Set-Cookie").expect("the end of a cookie");
    assert!(cookie.starts_with("session=;") && cookie.contains("Max-Age=0"), "{cookie}");

    let next = workspace.signed_in_as("Ada").await;
    assert_ne!(next.id(), ada.id(), "whoever takes the name next is another user");
    ada.get("/api/session").await.refused(401, "sign-in-required");
}

#[rocket::async_test]
async fn of_a_hundred_who_claim_a_name_at_once_one_gets_it() {
    let workspace = Workspace::start().await;
    let claims = (0..100).map(|_| {
        let visitor = workspace.visitor();
        async move { visitor.post("/api/session", json!({ "display_name": "Ada" })).await.status }
    });
    let mut answers = futures::future::join_all(claims).await;
    answers.sort_unstable();
    assert_eq!(answers[0], 201);
    assert!(answers[1..].iter().all(|status| *status == 409), "{answers:?}");
}

/// Names that are held, each with one that looks like it.
const LOOK_ALIKES: [(&str, &str); 10] = [
    ("Ada", "Аda"), // Cyrillic
    ("Iris", "lris"),
    ("BOBO", "B0B0"),
    ("max", "rnax"),
    ("Nora", "Νоra"), // Greek and Cyrillic
    ("Tom O'Neil", "Tom O’Neil"),
    ("José", "Jоsé"),
    ("ロロ", "口口"), // Katakana and Han
    ("Саша", "Caшa"), // the other way round
    ("علی", "على"),
];
const LOOKS_TAKEN: &str =
    "That looks like a name that is taken: somebody could mistake you for each other.";

#[rocket::async_test]
async fn a_name_that_looks_like_a_held_one_is_refused_until_that_is_free() {
    let workspace = Workspace::start().await;
    let guest = workspace.signed_in_as("Guest").await;
    for (name, other) in LOOK_ALIKES {
        let holder = workspace.signed_in_as(name).await;
        let name = json!({ "display_name": other });
        for answer in [
            workspace.visitor().post("/api/session", name.clone()).await,
            guest.patch("/api/session", name.clone()).await,
        ] {
            let problem = answer.refused(409, "display-name-taken");
            assert_eq!(problem["field"], "display_name", "{other}");
            assert_eq!(problem["detail"], LOOKS_TAKEN, "{other}");
        }

        holder.delete("/api/session").await;

        assert_eq!(guest.patch("/api/session", name).await.status, 200, "{other}");
    }
    assert_eq!(workspace.signed_in_as("Guest").await.user["display_name"], "Guest");
}

#[rocket::async_test]
async fn a_name_may_change_into_one_that_looks_like_it() {
    let workspace = Workspace::start().await;
    for (name, other) in LOOK_ALIKES {
        let user = workspace.signed_in_as(name).await;
        for next in [other, name, other] {
            let renamed = user.patch("/api/session", json!({ "display_name": next })).await;
            assert_eq!(renamed.json()["user"]["display_name"], next);
        }
        let name = json!({ "display_name": name });
        let answer = workspace.visitor().post("/api/session", name).await;
        assert_eq!(answer.refused(409, "display-name-taken")["detail"], LOOKS_TAKEN);
    }
}

#[rocket::async_test]
async fn of_many_who_claim_look_alikes_at_once_one_gets_it() {
    let workspace = Workspace::start().await;
    let names = ["Ada", "Аda", "Αda", "Adа", "Ꭺԁа", "ADA", "аԁа"];
    let claims = (0..70).map(|n| {
        let visitor = workspace.visitor();
        let name = json!({ "display_name": names[n % names.len()] });
        async move { visitor.post("/api/session", name).await.status }
    });
    let mut answers = futures::future::join_all(claims).await;
    answers.sort_unstable();
    assert_eq!(answers[0], 201);
    assert!(answers[1..].iter().all(|status| *status == 409), "{answers:?}");

    let (bob, eve) = (workspace.signed_in_as("Bob").await, workspace.signed_in_as("Eve").await);
    for n in 0..10 {
        let name = |name: &str| json!({ "display_name": format!("{name} {n}") });
        let claims =
            [bob.patch("/api/session", name("Max")), eve.patch("/api/session", name("Mах"))];
        let mut answers = futures::future::join_all(claims).await;
        answers.sort_by_key(|answer| answer.status);
        assert_eq!(answers[0].status, 200, "{answers:?}");
        assert_eq!(answers[1].refused(409, "display-name-taken")["detail"], LOOKS_TAKEN);
    }
}

#[rocket::async_test]
async fn the_sign_in_page_says_that_a_name_looks_like_a_taken_one() {
    let workspace = Workspace::start().await;
    workspace.signed_in_as("Ada").await;
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = "next=%2F&display_name=%D0%90da";
    let page = workspace.visitor().asks(Method::Post, "/sign-in", &form, body).await;
    assert_eq!(page.status, 409);
    assert!(page.text.contains(LOOKS_TAKEN), "{}", page.text);
}

#[rocket::async_test]
async fn signing_in_again_is_harmless_under_the_same_name_and_refused_under_another() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let again = ada.post("/api/session", json!({ "display_name": "ADA" })).await;
    assert_eq!((again.status, again.json()["user"].clone()), (200, ada.user.clone()));
    ada.post("/api/session", json!({ "display_name": "Bob" }))
        .await
        .refused(409, "already-signed-in");
}

#[rocket::async_test]
async fn what_is_no_name_is_refused() {
    let workspace = Workspace::start().await;
    let long = "x".repeat(33);
    let refused = [
        "",
        "   ",
        "@ada",
        "#ada",
        "a/b",
        "a\u{200d}b",
        "a\nb",
        &long,
        // Nothing to see.
        "\u{FFFC}",
        "\u{1D159}",
        "\u{16FE4}",
        "\u{2800}",
        "\u{3164}",
        "\u{115F}\u{1160}",
        "\u{13442}",
        "\u{E0041}",
        "\u{301}",
        "\u{301} \u{93F}",
        // What turns its surroundings round.
        "\u{202e}",
        "a\u{202a}b",
        "a\u{2066}b\u{2069}",
        "אבג\u{200e}",
        "a\u{200f}",
        "a\u{61c}",
    ];
    for name in refused {
        let answer =
            workspace.visitor().post("/api/session", json!({ "display_name": name })).await;
        assert_eq!(
            answer.refused(422, "invalid-display-name")["field"],
            "display_name",
            "{name:?}"
        );
    }
    for body in [json!({}), json!({ "display_name": 7 }), json!({ "display_name": null })] {
        let answer = workspace.visitor().post("/api/session", body.clone()).await;
        assert_eq!(answer.refused(400, "malformed-request")["field"], "display_name", "{body}");
    }
}

#[rocket::async_test]
async fn a_new_name_shows_on_earlier_messages_and_frees_the_old_one() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "hello").await;

    let renamed = ada.patch("/api/session", json!({ "display_name": "Ada L." })).await;

    assert_eq!(
        renamed.json()["user"],
        json!({ "id": ada.id(), "display_name": "Ada L.", "bot": false })
    );
    let (messages, _) = ada.history("general").await;
    assert_eq!(messages[0]["author"]["display_name"], "Ada L.");
    let taken = workspace.visitor().post("/api/session", json!({ "display_name": "ada l." })).await;
    taken.refused(409, "display-name-taken");
    workspace.signed_in_as("Ada").await;
    let back = ada.patch("/api/session", json!({ "display_name": "Ada" })).await;
    back.refused(409, "display-name-taken");
}

#[rocket::async_test]
async fn a_name_may_change_its_case() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let renamed = ada.patch("/api/session", json!({ "display_name": "ADA" })).await;
    assert_eq!(renamed.json()["user"]["display_name"], "ADA");
}

#[rocket::async_test]
async fn names_sessions_and_who_wrote_what_survive_a_restart() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.posts("general", "from ada").await;
    bob.posts("general", "from bob").await;
    ada.patch("/api/session", json!({ "display_name": "Countess" })).await;
    bob.patch("/api/session", json!({ "display_name": "Robert" })).await;
    bob.delete("/api/session").await;
    let (token, id) = (ada.token.clone().expect("a token"), ada.id().to_owned());
    drop((ada, bob));

    let workspace = workspace.restarted().await;

    let ada = workspace.holder_of(&token);
    let countess = json!({ "id": id, "display_name": "Countess", "bot": false });
    assert_eq!(ada.get("/api/session").await.json()["user"], countess);
    let (messages, _) = ada.history("general").await;
    let authors: Vec<_> =
        messages.iter().map(|message| message["author"]["display_name"].clone()).collect();
    assert_eq!(authors, ["Countess", "Robert"]);
    let users = ada.get("/api/users").await.json();
    let listed = json!([{ "id": id, "display_name": "Countess", "bot": false, "online": false }]);
    assert_eq!(users["users"], listed);
}

#[rocket::async_test]
async fn another_site_cannot_act_with_the_browsers_cookie() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let cookie = format!("session={}", ada.token.clone().expect("a token"));
    let post = |foreign: Vec<(&'static str, &'static str)>| {
        let (visitor, cookie) = (workspace.visitor(), cookie.clone());
        async move {
            let own =
                [("Cookie", &*cookie), ("Content-Type", "text/plain"), ("Host", "chat.example")];
            let headers = [&own[..], &foreign[..]].concat();
            visitor.asks(Method::Post, "/api/channels/general/messages", &headers, "hi").await
        }
    };
    for foreign in [
        vec![("Origin", "https://evil.example")],
        vec![("Origin", "null")],
        vec![("Origin", "https://chat.example:8443")],
        vec![("Origin", "http://chat.example:443")],
        vec![("Origin", "https://evil.example"), ("Sec-Fetch-Site", "none")],
        vec![("Origin", "https://chat.example"), ("Sec-Fetch-Site", "cross-site")],
        vec![("Sec-Fetch-Site", "cross-site")],
        vec![("Sec-Fetch-Site", "same-site")],
    ] {
        post(foreign).await.refused(403, "not-allowed");
    }
    for own in [
        vec![],
        vec![("Origin", "https://chat.example")],
        vec![("Sec-Fetch-Site", "same-origin"), ("Origin", "http://chat.example")],
        vec![("Sec-Fetch-Site", "same-origin"), ("Origin", "https://before-the-proxy.example")],
        vec![("Sec-Fetch-Site", "none")],
        vec![("Origin", "https://Chat.Example")],
        vec![("Origin", "https://chat.example:443")],
        vec![("Origin", "http://chat.example:80")],
        vec![("Origin", "https://way.in"), ("X-Forwarded-Host", "way.in:443, chat.example")],
    ] {
        assert_eq!(post(own).await.status, 201);
    }
    let scripted = ada.asks(
        Method::Post,
        "/api/channels/general/messages",
        &[("Origin", "https://tool.example"), ("Content-Type", "text/plain")],
        "a token is not sent by browsers on their own",
    );
    assert_eq!(scripted.await.status, 201);
}
