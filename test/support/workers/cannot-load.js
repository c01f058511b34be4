throw new Error('this worker cannot load');
