//! Hooks in the state. One entry tells all of a hook, so only its last is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::HashMap;

use super::{Applied, EntryHeader, State};
use crate::domain::entry::HookRecord;
use crate::domain::hook::{Hook, SecretHash};
use crate::domain::ids::{ChannelId, HookId, UserId};

/// The hooks of all channels.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hooks {
    of_channels: HashMap<ChannelId, BTreeMap<HookId, Arc<Hook>>>,
    /// The incoming ones by the hash of their secret.
    by_secret: HashMap<SecretHash, (ChannelId, HookId)>,
    /// Number of hooks that each user made.
    counts: HashMap<UserId, usize>,
}

impl Hooks {
    fn insert(&mut self, hook: Hook) {
        *self.counts.entry(hook.creator.clone()).or_default() += 1;
        if hook.outgoing.is_none() {
            let place = (hook.channel.clone(), hook.id.clone());
            self.by_secret.insert(hook.secret.hash(), place);
        }
        let siblings = self.of_channels.entry(hook.channel.clone()).or_default();
        siblings.insert(hook.id.clone(), Arc::new(hook));
    }

    fn remove(&mut self, channel: &ChannelId, id: &HookId) -> Option<Arc<Hook>> {
        let siblings = self.of_channels.get_mut(channel)?;
        let hook = siblings.remove(id)?;
        if siblings.is_empty() {
            self.of_channels.remove(channel);
        }
        self.by_secret.remove(&hook.secret.hash());
        if let Some(count) = self.counts.get_mut(&hook.creator) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&hook.creator);
            }
        }
        Some(hook)
    }
}

impl State {
    /// The hooks of a channel, incoming and outgoing, oldest first.
    pub fn hooks_of(&self, channel: &ChannelId) -> impl Iterator<Item = &Arc<Hook>> {
        self.hooks.of_channels.get(channel).into_iter().flat_map(BTreeMap::values)
    }

    /// The hooks of all channels, in no particular order. O(hooks).
    pub fn all_hooks(&self) -> impl Iterator<Item = &Arc<Hook>> {
        self.hooks.of_channels.values().flat_map(BTreeMap::values)
    }

    /// The hook of this id in a channel.
    #[must_use]
    pub fn hook(&self, channel: &ChannelId, id: &HookId) -> Option<&Arc<Hook>> {
        self.hooks.of_channels.get(channel)?.get(id)
    }

    /// The incoming hook of a secret.
    #[must_use]
    pub fn hook_by_secret(&self, secret: &SecretHash) -> Option<&Arc<Hook>> {
        let (channel, id) = self.hooks.by_secret.get(secret)?;
        self.hook(channel, id)
    }

    /// The number of hooks that this user made. O(1).
    #[must_use]
    pub fn hook_count_of(&self, user: &UserId) -> usize {
        self.hooks.counts.get(user).copied().unwrap_or_default()
    }

    /// The number of hooks. O(channels that have some).
    #[must_use]
    pub fn hook_count(&self) -> usize {
        self.hooks.of_channels.values().map(BTreeMap::len).sum()
    }

    pub(super) fn apply_hook(
        &mut self,
        entry: EntryHeader,
        channel: ChannelId,
        id: HookId,
        record: HookRecord,
    ) -> Applied {
        if !self.channels.contains_key(&channel) {
            return entry.refused();
        }
        let before = self.hooks.remove(&channel, &id);
        let mut applied = Applied::default();
        applied.spent.extend(before.as_ref().map(|before| before.seq));
        match record {
            HookRecord::Present { name, secret, creator, created_at, outgoing } => {
                self.hooks.insert(Hook {
                    id,
                    channel,
                    name,
                    outgoing,
                    secret,
                    creator,
                    created_at: created_at.unwrap_or(entry.at),
                    seq: entry.seq,
                    changed_at: entry.at,
                    deliveries: before.map(|before| before.deliveries.clone()).unwrap_or_default(),
                });
            }
            HookRecord::Deleted => {
                applied.refused = before.is_none();
                // Last: a replay that still finds the hook must find it, too.
                applied.spent.push(entry.seq);
            }
        }
        applied
    }

    /// Drops the hooks of a channel that is going, and spends their entries.
    pub(super) fn forget_hooks_of(&mut self, channel: &ChannelId, applied: &mut Applied) {
        let ids: Vec<_> = self.hooks_of(channel).map(|hook| hook.id.clone()).collect();
        for id in ids {
            applied.spent.extend(self.hooks.remove(channel, &id).map(|hook| hook.seq));
        }
    }
}
