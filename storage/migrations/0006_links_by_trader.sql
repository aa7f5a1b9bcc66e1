-- Whom a trader followed when: what its feed was, once that has left memory.

CREATE INDEX events_links ON events (trader, entry_ms, entry_seq, event_index)
    WHERE kind IN ('TraderFollowed', 'TraderUnfollowed');
