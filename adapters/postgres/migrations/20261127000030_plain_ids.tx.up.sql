-- Compressing the ids of 100,000 users takes longer than all other work of storing an answer.
ALTER TABLE idempotency_keys ALTER users SET STORAGE EXTERNAL;
