-- Compressing the ids of 100,000 users takes longer than everything else that stores an answer.
ALTER TABLE idempotency_keys ALTER users SET STORAGE EXTERNAL;
