-- en: airports are three letters, carriers two characters
-- pt: aeroportos são três letras, companhias dois caracteres
SELECT DISTINCT carrier, origin, dest
FROM flights
WHERE
    regexp_extract(carrier, '^([A-Z][A-Z0-9]|[0-9][A-Z])$', 0) = ''
    OR regexp_extract(origin, '^[A-Z]{3}$', 0) = ''
    OR regexp_extract(dest, '^[A-Z]{3}$', 0) = ''
