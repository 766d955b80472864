//! What Prometheus' Alertmanager posts to its generic receiver (`webhook_configs`): alerts, of which each
//! becomes a card. Its receiver for Slack needs nothing of this.

use serde_json::{Map, Value};

use super::slack::{MAX_ITEMS, text_in};
use crate::domain::text::layout::{Card, Field, Part, Section, hue_of};
use crate::domain::text::mrkdwn::escape;

/// The cards of a payload's alerts; `None` where it is no payload of Alertmanager's.
pub(super) fn sections(payload: &Map<String, Value>) -> Option<Vec<Section>> {
    let alerts = payload.get("alerts")?.as_array()?;
    payload.get("groupLabels")?.as_object()?;
    let alerts = alerts.iter().take(MAX_ITEMS).filter_map(Value::as_object);
    Some(alerts.map(card).collect())
}

fn card(alert: &Map<String, Value>) -> Section {
    let nothing = Map::new();
    let object = |member: &str| alert.get(member).and_then(Value::as_object).unwrap_or(&nothing);
    let (labels, annotations) = (object("labels"), object("annotations"));
    let is_over = text_in(alert, "status").is_some_and(|status| status == "resolved");
    let state = if is_over { "Resolved" } else { "Firing" };
    let name = text_in(annotations, "summary").or_else(|| text_in(labels, "alertname"));
    let title = format!("{state}: {}", name.unwrap_or_else(|| "an alert".into()));
    let mut parts = vec![Part::Title(title, text_in(alert, "generatorURL"))];
    let text = ["description", "message"].iter().find_map(|it| text_in(annotations, it));
    parts.extend(text.map(|text| Part::Text(escape(&text))));
    let fields = labels.keys().filter_map(|label| {
        let value = escape(&text_in(labels, label)?);
        Some(Field { name: label.clone(), value, is_wide: false })
    });
    parts.push(Part::Fields(fields.collect()));
    let rgb = if is_over { 0x2E_B8_86 } else { 0xA3_02_00 };
    Section { card: Some(Card { hue: hue_of(rgb) }), parts }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::slack::HookPost;
    use super::*;

    #[test]
    fn each_alert_is_a_card() {
        let payload = json!({
            "version": "4", "status": "firing", "groupLabels": {"alertname": "Disk"},
            "alerts": [
                {"status": "firing", "labels": {"alertname": "Disk", "host": "a_b"},
                 "annotations": {"summary": "Disk *full*", "description": "95 %"},
                 "generatorURL": "http://prom.example/g"},
                {"status": "resolved", "labels": {"alertname": "Disk"}, "annotations": {}},
                {}, 5,
            ],
        });
        let sections = HookPost::parse(&payload.to_string()).expect("a payload").sections;
        assert_eq!(sections.len(), 3);
        let title = Part::Title("Firing: Disk *full*".into(), Some("http://prom.example/g".into()));
        assert_eq!(sections[0].parts[..2], [title, Part::Text("95 %".into())]);
        assert_eq!(sections[1].parts[0], Part::Title("Resolved: Disk".into(), None));
        assert_ne!(sections[0].card, sections[1].card);
        assert_eq!(sections[2].parts[0], Part::Title("Firing: an alert".into(), None));
    }

    #[test]
    fn other_payloads_are_none_of_its() {
        for payload in [
            json!({"alerts": []}),
            json!({"alerts": {}, "groupLabels": {}}),
            json!({"alerts": [], "groupLabels": []}),
            json!({"groupLabels": {}}),
            json!({"text": "alerts"}),
        ] {
            assert_eq!(sections(payload.as_object().expect("an object")), None, "{payload}");
        }
    }
}
