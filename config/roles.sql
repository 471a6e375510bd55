-- The two database roles of Fairplace and its database. Run it as a superuser; running it again
-- changes nothing but the passwords. psql 15 or later reads them from the environment:
--
--     FAIRPLACE_OWNER_PASSWORD=... FAIRPLACE_APP_PASSWORD=... \
--         psql --no-psqlrc --set=ON_ERROR_STOP=1 --file=config/roles.sql
--
-- fairplace_owner migrates and owns everything; fairplace_app is what the application connects
-- as: it owns nothing, and row-level security holds for it without exception.

\getenv owner_password FAIRPLACE_OWNER_PASSWORD
\getenv app_password FAIRPLACE_APP_PASSWORD

select 'create role fairplace_owner'
where not exists (select from pg_roles where rolname = 'fairplace_owner') \gexec
select 'create role fairplace_app'
where not exists (select from pg_roles where rolname = 'fairplace_app') \gexec

alter role fairplace_owner
    login createdb nosuperuser nocreaterole noreplication nobypassrls password :'owner_password';
alter role fairplace_app
    login nocreatedb nosuperuser nocreaterole noreplication nobypassrls password :'app_password';

select 'create database fairplace owner fairplace_owner encoding ''UTF8'' template template0'
where not exists (select from pg_database where datname = 'fairplace') \gexec

-- What the application cannot make, it cannot own. Imports alone copy rows into a temporary table,
-- because COPY does not go into one behind row-level security; temporary tables are looked for
-- last, so that none can stand in front of a real one.
revoke all on database fairplace from public;
grant connect, temporary on database fairplace to fairplace_app;
alter role fairplace_app set search_path = public, pg_temp;
