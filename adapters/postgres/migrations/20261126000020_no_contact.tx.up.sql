-- Accounts of the first service may have neither an email nor a phone. The domain still requires one of each new account.
ALTER TABLE users DROP CONSTRAINT users_check1;
