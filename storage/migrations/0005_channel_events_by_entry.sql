-- Finding what reached the channels lately, when a node starts. Rows come in the order of the
-- log, so a block range index is enough and costs the archiver next to nothing.

CREATE INDEX channel_events_by_entry ON channel_events USING brin (entry_ms);
