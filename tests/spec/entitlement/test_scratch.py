async def test_migrates(database):
    async with database.connection() as tx:
        print(await tx.fetch("select * from entitlement.standing('1', '310', current_date)"))
        print((await tx.fetchval("select pg_get_functiondef('settlements.facts_of_stay(text,text,boolean)'::regprocedure)"))[1200:2600])
